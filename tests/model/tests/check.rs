//! Every schedule of the small worlds: no second e-mail, nothing stuck; and what is broken on purpose is found.
//!
//! `make model` explores the large ones too. A name, or a part of one, as argument explores just those worlds.

use model::report::{faults, worlds};
use model::runs::{BOUNDED, LARGE};
use std::process::ExitCode;

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let large = std::env::var_os("MODEL").is_some_and(|bounds| bounds == "large");
    let mut configs: Vec<_> = BOUNDED.iter().collect();
    if large || !asked.is_empty() {
        configs.extend(LARGE);
    }
    configs.retain(|config| asked.is_empty() || asked.iter().any(|part| config.name.contains(part.as_str())));
    let mut wrong = worlds(&configs);
    if asked.is_empty() {
        wrong.extend(faults());
    }
    for what in &wrong {
        println!("WRONG: {what}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
