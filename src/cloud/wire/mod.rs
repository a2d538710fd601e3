//! JSON of MongoDB's APIs.
//!
//! Owns the shapes of requests and answers. Every field of an answer may be missing and unknown ones are ignored; a request
//! carries exactly what its endpoint takes, because an attribute too many is refused. Must never leave `cloud`.

pub(super) mod invitation;
pub(super) mod member;
pub(super) mod problem;
pub(super) mod token;

/// An answer that is not what the endpoint is documented to give: nothing may be concluded from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) &'static str);

/// Where a list has more: a `links` entry of the relation `next`. The address in it is never followed.
#[derive(serde::Deserialize)]
pub(super) struct Link {
    rel: Option<String>,
}

impl Link {
    pub(super) fn is_next(&self) -> bool {
        self.rel.as_deref().is_some_and(|rel| rel.eq_ignore_ascii_case("next"))
    }
}
