//! Modules depend on each other in one direction, and what decides has no clock, no client and no async.
//!
//! Reads the sources as text: good enough for code that has no reason to hide, and it names file and line.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// From the innermost: each may use those before it, and itself.
const LAYERS: [&str; 5] = ["api", "domain", "cloud", "controller", "runtime"];

/// Layers that decide, or only describe.
const PURE: [&str; 2] = ["api", "domain"];

/// What no pure layer may name. `kube::Client` and the like also as parts of a nested `use kube::{…}`.
const IMPURE: [&str; 16] = [
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant",
    "async fn",
    "async move",
    "async {",
    ".await",
    "kube::Client",
    "kube::Api",
    "kube::api::Api",
    "kube::runtime",
    "reqwest",
    "tokio",
    "futures",
    "std::env",
];

const MAX_LINES: usize = 350;

#[test]
fn modules_depend_on_each_other_in_one_direction() {
    let mut wrong = String::new();
    for source in sources() {
        let Some(own) = source.layer() else { continue };
        for (line, used) in source.uses_of_this_crate() {
            match (rank(&used), rank(own)) {
                (Some(used_rank), Some(own_rank)) if used_rank > own_rank => {
                    writeln!(wrong, "{}:{line}: {own} uses {used}", source.path.display()).unwrap();
                }
                (_, _) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "the arrows are {}:\n{wrong}", LAYERS.join(" ← "));
}

#[test]
fn what_decides_has_no_clock_no_client_and_no_async() {
    let mut wrong = String::new();
    for source in sources().into_iter().filter(|source| source.layer().is_some_and(|layer| PURE.contains(&layer))) {
        for (number, line) in source.code() {
            for path in source_paths(&line) {
                if let Some(impure) = IMPURE.iter().find(|impure| is_named(&path, impure)) {
                    writeln!(wrong, "{}:{number}: {impure}", source.path.display()).unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these belong into cloud, controller or runtime:\n{wrong}");
}

#[test]
fn only_one_layer_speaks_http_to_mongodb() {
    let mut wrong = String::new();
    for source in sources().into_iter().filter(|source| source.layer() != Some("cloud")) {
        for (number, line) in source.code() {
            if is_named(&line, "reqwest") {
                writeln!(wrong, "{}:{number}: reqwest", source.path.display()).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "MongoDB's APIs are behind the trait of cloud:\n{wrong}");
}

#[test]
fn files_are_small_and_say_what_they_own() {
    let mut wrong = String::new();
    for source in sources() {
        let lines = source.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        let is_test = source.path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
        if lines > MAX_LINES && !is_test {
            writeln!(wrong, "{}:{lines}: at most {MAX_LINES} lines, tests not counted", source.path.display()).unwrap();
        }
        if !source.text.starts_with("//! ") {
            writeln!(wrong, "{}:1: does not say what it owns", source.path.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "split or explain:\n{wrong}");
}

#[test]
fn this_test_sees_nested_and_qualified_paths() {
    let source = Source {
        path: PathBuf::from("src/domain/example.rs"),
        text: "use crate::{api::Reason, cloud::{A, b::C}};\nfn f() { crate::runtime::x(); } // crate::cloud\nuse kube::{Api, Client};\n"
            .to_owned(),
    };
    let used: Vec<_> = source.uses_of_this_crate().into_iter().map(|(_, used)| used).collect();
    assert_eq!(used, ["api", "cloud", "runtime"]);
    assert!(source_paths("use kube::{Api, Client};").iter().any(|path| is_named(path, "kube::Client")));
    assert!(!is_named("let instants = 3;", "Instant") && !is_named("tokio_like()", "tokio"));
}

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The folder or file under `src` that it belongs to; none for `lib.rs` and `main.rs`.
    fn layer(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src").ok()?;
        let first = inside.components().next()?.as_os_str().to_str()?;
        LAYERS.contains(&first).then_some(first)
    }

    /// Numbered lines without comments. Test modules stay in: a test of the pure core needs no clock either.
    fn code(&self) -> Vec<(usize, String)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default().to_owned())).collect()
    }

    /// The modules of this crate that are named, each with its line: `crate::x`, and every `x` of `crate::{x, …}`.
    fn uses_of_this_crate(&self) -> Vec<(usize, String)> {
        let mut code = String::new();
        for (_, line) in self.code() {
            code.push_str(&line);
            code.push('\n');
        }
        let line_of = |offset: usize| code.get(..offset).unwrap_or_default().matches('\n').count() + 1;
        let mut uses = Vec::new();
        for (offset, matched) in code.match_indices("crate::") {
            let rest = code.get(offset + matched.len()..).unwrap_or_default();
            for name in heads(rest) {
                uses.push((line_of(offset), name));
            }
        }
        uses
    }
}

/// The first segments after `crate::`: one, or each of a group in braces.
fn heads(rest: &str) -> Vec<String> {
    let word =
        |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(word(group.get(start..index).unwrap_or_default()));
                start = index + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
        if c == '}' && depth == 0 && start == index + 1 {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The line itself, and its `use a::{b, c};` written out as `a::b` and `a::c`.
fn source_paths(line: &str) -> Vec<String> {
    let mut paths = vec![line.to_owned()];
    if let Some((prefix, group)) = line.trim_start().strip_prefix("use ").and_then(|path| path.split_once("::{")) {
        paths.extend(heads(&format!("{{{group}")).iter().map(|name| format!("{prefix}::{name}")));
    }
    paths
}

/// Whether `text` has `name`, not as a part of a longer word.
fn is_named(text: &str, name: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(offset, _)| {
        let before = text.get(..offset).and_then(|before| before.chars().next_back());
        let after = text.get(offset + name.len()..).and_then(|after| after.chars().next());
        let (starts, ends) = (name.starts_with(char::is_alphanumeric), name.ends_with(char::is_alphanumeric));
        !((starts && part_of_word(before)) || (ends && part_of_word(after)))
    })
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push(Source { path: path.strip_prefix(root).unwrap().to_owned(), text });
            }
        }
    }
    assert!(sources.len() > 10, "the sources are not where this test looks");
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}
