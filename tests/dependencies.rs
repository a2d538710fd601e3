//! What we build on: licences, crates that must not come in, and versions that are there twice.
//!
//! Asks cargo about the lock file and the crates already fetched, so it needs no network.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Licences that ask for no more than attribution.
const LICENCES: [&str; 10] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Crates that must not come in, and what is there instead.
const BANNED: [(&str, &str); 7] = [
    ("openssl", "one TLS implementation: rustls"),
    ("native-tls", "one TLS implementation: rustls"),
    ("ring", "one provider of cryptography: aws-lc-rs; with two, rustls panics at start"),
    ("chrono", "one library of time: jiff"),
    ("serde_yaml", "unmaintained: serde-saphyr"),
    ("reqwest-middleware", "retries below the protocol could send a second e-mail"),
    ("reqwest-retry", "retries below the protocol could send a second e-mail"),
];

/// Crates that the operator's binary may hold in two versions, and why.
const TWICE: [(&str, &str); 3] = [
    ("base64", "k8s-openapi's and tower-http's beside kube-client's and reqwest's"),
    ("syn", "at build time only: macros move to 3 one by one"),
    ("tower-http", "reqwest's beside kube-client's"),
];

#[test]
fn every_licence_is_one_that_we_accept() {
    for package in tree(&["--workspace", "--edges=normal,build,dev"]) {
        let accepted = Expression::of(&package.licence).accepted();
        assert!(accepted, "{} {} has the licence '{}'", package.name, package.version, package.licence);
    }
}

#[test]
fn nothing_banned_comes_in() {
    for package in tree(&["--workspace", "--edges=normal,build,dev"]) {
        if let Some((_, instead)) = BANNED.iter().find(|(name, _)| *name == package.name) {
            panic!(
                "{} must not come in ({instead}): see `cargo tree --workspace --invert {}`",
                package.name, package.name
            );
        }
    }
}

#[test]
fn every_dependency_is_a_published_release_or_ours() {
    for package in tree(&["--workspace", "--edges=normal,build,dev"]) {
        assert!(!package.source.contains("://"), "{} comes from {}", package.name, package.source);
    }
}

#[test]
fn nothing_is_in_the_operator_twice_without_a_reason() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in tree(&["--package=invitation-operator", "--edges=normal,build"]) {
        versions.entry(package.name).or_default().insert(package.version);
    }
    let twice: BTreeSet<_> =
        versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name.as_str()).collect();
    let tolerated: BTreeSet<_> = TWICE.iter().map(|(name, _)| *name).collect();
    let new: Vec<_> = twice.difference(&tolerated).collect();
    let gone: Vec<_> = tolerated.difference(&twice).collect();
    assert!(new.is_empty(), "{new:?} are there in two versions: unify them, or give a reason in TWICE");
    assert!(gone.is_empty(), "{gone:?} are there once now: take them from TWICE");
}

#[test]
fn licences_are_read_as_spdx_has_them() {
    for (licence, accepted) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0", false),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0 WITH Classpath-exception-2.0", false),
        ("", false),
    ] {
        assert_eq!(Expression::of(licence).accepted(), accepted, "{licence}");
    }
}

struct Package {
    name: String,
    version: String,
    source: String,
    licence: String,
}

/// The crates of a tree, for the platform that this runs on: others may not have been fetched.
fn tree(selection: &[&str]) -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix=none", "--no-dedupe", "--format={p}|{l}"])
        .args(selection)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let lines: BTreeSet<_> =
        String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert!(lines.len() > 50, "cargo tree printed {} crates only", lines.len());
    lines.iter().map(|line| package(line)).collect()
}

/// `name v1.2.3 (source)|licence`, the source only where it is no registry.
fn package(line: &str) -> Package {
    let (id, licence) = line.split_once('|').unwrap_or_else(|| panic!("not a crate: {line}"));
    let mut words = id.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    Package { name: word(), version: word(), source: word(), licence: licence.trim().to_owned() }
}

/// The rest of an SPDX expression that is being read.
struct Expression {
    tokens: Vec<String>,
}

impl Expression {
    fn of(licence: &str) -> Self {
        let spaced = licence.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "+WITH+");
        let mut tokens: Vec<_> = spaced.split_whitespace().map(|token| token.replace("+WITH+", " WITH ")).collect();
        tokens.reverse();
        Self { tokens }
    }

    fn accepted(mut self) -> bool {
        let accepted = self.any();
        accepted && self.tokens.is_empty()
    }

    fn any(&mut self) -> bool {
        let mut accepted = self.all();
        while self.take("OR") {
            accepted |= self.all();
        }
        accepted
    }

    fn all(&mut self) -> bool {
        let mut accepted = self.one();
        while self.take("AND") {
            accepted &= self.one();
        }
        accepted
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let accepted = self.any();
            return self.take(")") && accepted;
        }
        self.tokens.pop().is_some_and(|licence| LICENCES.contains(&licence.as_str()))
    }

    fn take(&mut self, token: &str) -> bool {
        let next = self.tokens.last().is_some_and(|last| last == token);
        if next {
            self.tokens.pop();
        }
        next
    }
}
