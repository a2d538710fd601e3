//! What the operator wrote to Kubernetes, as the API server's audit log has it.

use super::plane::{OPERATOR_USER, shared};
use super::under::service_account;
use super::world::World;
use serde::Deserialize;

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// Resource, with its subresource after a slash.
    pub resource: String,
    /// When it arrived, RFC 3339.
    pub at: String,
    /// Status code of the answer.
    pub code: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    user: User,
    impersonated_user: Option<User>,
    object_ref: Option<Object>,
    request_received_timestamp: String,
    response_status: Option<Status>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Object {
    resource: String,
    subresource: Option<String>,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: u16,
}

impl World {
    /// All writes of this test's operator so far, in the order of their arrival.
    pub async fn writes(&self) -> Vec<Write> {
        let log = shared().await.control.audit_log().unwrap();
        let text = std::fs::read_to_string(log).unwrap();
        let mut writes: Vec<_> = text
            .lines()
            .filter(|line| line.contains(&self.namespace) || line.contains(&self.operator_namespace))
            .filter_map(|line| serde_json::from_str::<Event>(line).ok())
            .filter(|event| {
                event.impersonated_user.as_ref().is_some_and(|user| user.username == OPERATOR_USER)
                    || event.user.username == service_account(&self.operator_namespace)
            })
            .filter(|event| matches!(event.verb.as_str(), "create" | "update" | "patch" | "delete"))
            .filter_map(|event| {
                let object = event.object_ref?;
                let namespace = object.namespace?;
                (namespace == self.namespace || namespace == self.operator_namespace).then(|| Write {
                    verb: event.verb,
                    resource: match object.subresource {
                        Some(part) => format!("{}/{part}", object.resource),
                        None => object.resource,
                    },
                    at: event.request_received_timestamp,
                    code: event.response_status.map_or(0, |status| status.code),
                })
            })
            .collect();
        writes.sort_by(|a, b| a.at.cmp(&b.at));
        writes
    }
}
