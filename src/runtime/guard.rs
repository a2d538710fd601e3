//! What keeps credentials inside this process when it fails.
//!
//! Owns core dumps and the report of panics. Must never print what a panic carries: a formatted message can hold any
//! value of the program, a credential too.

use std::panic::PanicHookInfo;

/// No core dumps, and no other process of the same user may read this one's memory.
pub fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Best effort: where the system refuses, the operator is as safe as any other process there.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// From now on a panic is logged with its place, and with its message only if that is a literal of the source.
pub fn report_panics_without_their_content() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            thread = std::thread::current().name().unwrap_or("unnamed"),
            "the operator has a defect, please report this line: {}",
            literal_message(panic)
        );
    }));
}

fn literal_message(panic: &PanicHookInfo<'_>) -> &'static str {
    panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("a panic whose message is withheld")
}
