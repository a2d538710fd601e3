//! Runs the tests of a binary, more at a time than there are processors: most of their time is waiting.

use super::plane::RUNTIME;
use super::under::Under;
use super::used;
use libtest_mimic::{Arguments, Trial};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

const AT_A_TIME: usize = 8;
/// Control planes at a time, where a test needs a whole one.
const PLANES: usize = 4;
const LONGEST: Duration = Duration::from_secs(240);

/// A test by its name.
pub fn trial<F: Future<Output = ()> + 'static>(path: &str, test: fn() -> F) -> Trial {
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    Trial::test(name.to_owned(), move || {
        let ended = RUNTIME.block_on(async { tokio::time::timeout(LONGEST, test()).await });
        ended.map_err(|_| format!("not over after {} s", LONGEST.as_secs()).into())
    })
}

/// Names tests and makes them ready to run. A test that is not named is dead code, which clippy tells.
#[macro_export]
macro_rules! tests {
    ($($test:path),* $(,)?) => { vec![$($crate::harness::runner::trial(concat!(module_path!(), "::", stringify!($test)), $test)),*] };
}

/// Runs them.
pub fn run(tests: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    let from_environment = || std::env::var("RUST_TEST_THREADS").ok()?.parse().ok();
    arguments.test_threads = Some(arguments.test_threads.or_else(from_environment).unwrap_or(AT_A_TIME));
    if Under::of_this_run() == Under::ChartEverywhere {
        // Each operator serves the objects of all tests: each test has a control plane to itself.
        arguments.test_threads = Some(PLANES);
        arguments.skip.push("namespaced_operator".to_owned());
        // Has roles of its own, for one namespace.
        arguments.skip.push("without_the_right_to_leases".to_owned());
        // Tells its story four times at once on one control plane, and uses no right that the others do not.
        arguments.skip.push("killed_at_any".to_owned());
    }
    let conclusion = libtest_mimic::run(&arguments, tests);
    used::write();
    conclusion.exit_code()
}
