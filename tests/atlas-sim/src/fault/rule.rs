//! Whom a fault strikes, and how often.
//!
//! Owns matching and counting of rules. A rule counts a call only when everything else about it
//! matches.

use serde::{Deserialize, Serialize};

use super::kind::Fault;
use crate::{endpoint::Endpoint, ids::Mint};

/// Which leg of a call a rule looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Leg {
    /// Calls whose credentials were proven, and calls that need none.
    #[default]
    Authenticated,
    /// Calls that are answered with a challenge.
    Challenged,
    /// All calls.
    Any,
}

/// A fault and the calls it strikes. Absent conditions match everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// HTTP method.
    #[serde(default)]
    pub method: Option<String>,
    /// Part of the path.
    #[serde(default)]
    pub path: Option<String>,
    /// Operation.
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    /// Address in query or body, without regard to case.
    #[serde(default)]
    pub username: Option<String>,
    /// Project of the path.
    #[serde(default)]
    pub project: Option<String>,
    /// Public key or client id.
    #[serde(default)]
    pub credential: Option<String>,
    /// Leg of the call.
    #[serde(default)]
    pub leg: Leg,
    /// Matching calls that are spared first.
    #[serde(default)]
    pub skip: u64,
    /// Calls it strikes before it is spent; unlimited when absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// Chance to strike a matching call.
    #[serde(default)]
    pub probability: Option<f64>,
    /// What goes wrong.
    pub fault: Fault,
}

impl FaultRule {
    /// A rule that strikes every call.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self {
            method: None,
            path: None,
            endpoint: None,
            username: None,
            project: None,
            credential: None,
            leg: Leg::default(),
            skip: 0,
            times: None,
            probability: None,
            fault,
        }
    }

    /// Only this operation.
    #[must_use]
    pub fn on(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Only this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only paths that contain this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Only calls about this address.
    #[must_use]
    pub fn username(mut self, username: &str) -> Self {
        self.username = Some(username.to_owned());
        self
    }

    /// Only this project.
    #[must_use]
    pub fn project(mut self, project: &str) -> Self {
        self.project = Some(project.to_owned());
        self
    }

    /// Only this credential.
    #[must_use]
    pub fn credential(mut self, id: &str) -> Self {
        self.credential = Some(id.to_owned());
        self
    }

    /// Only this leg.
    #[must_use]
    pub fn leg(mut self, leg: Leg) -> Self {
        self.leg = leg;
        self
    }

    /// Spare the first matching calls.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Strike at most so many calls.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }

    /// Strike once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Strike with a probability.
    #[must_use]
    pub fn probability(mut self, chance: f64) -> Self {
        self.probability = Some(chance);
        self
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found.is_some_and(|found| wanted.eq_ignore_ascii_case(found)))
        };
        same(&self.method, Some(subject.method))
            && self.path.as_deref().is_none_or(|part| subject.path.contains(part))
            && self.endpoint.is_none_or(|e| e == subject.endpoint)
            && same(&self.username, subject.username)
            && same(&self.project, subject.project)
            && same(&self.credential, subject.credential)
            && match self.leg {
                Leg::Any => true,
                Leg::Authenticated => !subject.challenged,
                Leg::Challenged => subject.challenged,
            }
    }
}

/// A rule in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveFault {
    /// Number to remove it by.
    pub id: u64,
    /// The rule.
    pub rule: FaultRule,
    /// Calls that matched.
    pub matched: u64,
    /// Calls it struck.
    pub struck: u64,
}

/// A call as rules see it.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) endpoint: Endpoint,
    pub(crate) username: Option<&'a str>,
    pub(crate) project: Option<&'a str>,
    pub(crate) credential: Option<&'a str>,
    pub(crate) challenged: bool,
}

/// All rules.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: u64,
    pub(crate) active: Vec<ActiveFault>,
}

impl Faults {
    /// Puts a rule in force.
    pub(crate) fn add(&mut self, rule: FaultRule) -> u64 {
        self.next += 1;
        self.active.push(ActiveFault { id: self.next, rule, matched: 0, struck: 0 });
        self.next
    }

    /// Ends a rule.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|fault| fault.id != id);
        self.active.len() < before
    }

    /// The faults that strike a call, in the order their rules came.
    pub(crate) fn strike(&mut self, subject: &Subject<'_>, mint: &mut Mint) -> Vec<Fault> {
        let mut struck = Vec::new();
        for active in &mut self.active {
            let spent = active.rule.times.is_some_and(|times| active.struck >= times);
            if spent || !active.rule.matches(subject) {
                continue;
            }
            active.matched += 1;
            let chance = active.rule.probability.unwrap_or(1.0);
            if active.matched > active.rule.skip && mint.happens(chance) {
                active.struck += 1;
                struck.push(active.rule.fault.clone());
            }
        }
        struck
    }
}
