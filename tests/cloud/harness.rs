//! Connections, fences, attempts and the usual answers, in short words.

use crate::server::{Reply, Seen, Server};
use invitation_operator::api::{InvitationClaim, Product};
use invitation_operator::cloud::{CallRecord, Calls, Connection, Credentials, Fence, HttpApi};
use invitation_operator::domain::attempt::AcknowledgedAttempt;
use invitation_operator::domain::failure::{Failure, FailureKind};
use invitation_operator::domain::remote::{ObjectId, Roles, Username};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const PROJECT: &str = "5f0000000000000000000001";
pub const ID: &str = "6a7a3f8e1122334455667788";
pub const PUBLIC_KEY: &str = "nmtxqlkl";
pub const PRIVATE_KEY: &str = "c4n4ry-private-key";
pub const CLIENT_ID: &str = "mdb_sa_id_1";
pub const CLIENT_SECRET: &str = "mdb_sa_sk_c4n4ry";
pub const JANE: &str = "Jane.Doe+x@example.com";
pub const CHALLENGE: &str = "Digest realm=\"MMS Public API\", domain=\"\", nonce=\"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4\", \
                             algorithm=MD5, qop=\"auth\", stale=false";
pub const ATLAS_INVITES: &str = "/api/atlas/v2/groups/5f0000000000000000000001/invites";
pub const PUBLIC_INVITES: &str = "/api/public/v1.0/groups/5f0000000000000000000001/invites";

pub fn project() -> ObjectId {
    ObjectId::parse(PROJECT).unwrap()
}

pub fn id() -> ObjectId {
    ObjectId::parse(ID).unwrap()
}

pub fn jane() -> Username {
    Username::new(JANE)
}

pub fn roles() -> Roles {
    ["GROUP_READ_ONLY", "GROUP_OWNER"].map(str::to_owned).into()
}

pub fn api_key() -> Credentials {
    Credentials::ApiKey { public_key: PUBLIC_KEY.to_owned(), private_key: PRIVATE_KEY.to_owned().into() }
}

pub fn service_account() -> Credentials {
    Credentials::ServiceAccount { client_id: CLIENT_ID.to_owned(), client_secret: CLIENT_SECRET.to_owned().into() }
}

/// Answers as told, then with the last answer for ever.
pub struct TestFence {
    answers: Mutex<VecDeque<Option<Duration>>>,
    pub asked: Mutex<Vec<Timestamp>>,
}

impl TestFence {
    pub fn open(millis: u64) -> Arc<Self> {
        Self::says(&[Some(millis)])
    }

    pub fn says(millis: &[Option<u64>]) -> Arc<Self> {
        let answers = millis.iter().map(|one| one.map(Duration::from_millis)).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }
}

impl Fence for TestFence {
    fn time_left(&self, attempt_deadline: Timestamp) -> Option<Duration> {
        self.asked.lock().unwrap().push(attempt_deadline);
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { *answers.front().unwrap() }
    }
}

#[derive(Default)]
pub struct Records(Mutex<Vec<CallRecord>>);

impl Records {
    pub fn all(&self) -> Vec<CallRecord> {
        self.0.lock().unwrap().clone()
    }
}

impl Calls for Records {
    fn finished(&self, record: &CallRecord) {
        self.0.lock().unwrap().push(record.clone());
    }
}

pub struct Caller {
    pub api: HttpApi,
    pub fence: Arc<TestFence>,
    pub records: Arc<Records>,
}

pub fn connection(product: Product, base: &str, credentials: Credentials) -> Connection {
    Connection {
        product,
        base_url: base.parse().unwrap(),
        credentials,
        ca_bundle_pem: None,
        call_deadline: Duration::from_secs(10),
    }
}

pub fn connect(connection: Connection, fence: Arc<TestFence>) -> Caller {
    let records = Arc::new(Records::default());
    let (asked, told): (Arc<dyn Fence>, Arc<dyn Calls>) = (fence.clone(), records.clone());
    Caller { api: HttpApi::new(connection, asked, told).unwrap(), fence, records }
}

/// A caller with an API key and ten seconds for everything.
pub fn caller(product: Product, server: &Server) -> Caller {
    connect(connection(product, &server.url(), api_key()), TestFence::open(10_000))
}

pub fn attempt() -> AcknowledgedAttempt {
    let claim: InvitationClaim = serde_json::from_value(json!({
        "apiVersion": "invitation-operator.io/v1alpha1",
        "kind": "InvitationClaim",
        "metadata": {"name": "a", "resourceVersion": "1"},
        "spec": {
            "key": {"product": "Atlas", "api": "Invites", "host": "h", "projectId": PROJECT, "username": "jane"},
            "inviterRef": {"kind": "Inviter", "name": "i", "uid": "u"},
            "attempt": {"nonce": "n", "startedAt": "2026-01-01T00:00:00Z", "deadline": "2026-01-01T00:00:10Z"}
        }
    }))
    .unwrap();
    AcknowledgedAttempt::in_claim(&claim, "n").unwrap()
}

pub fn invitation(id: &str, username: &str) -> Value {
    json!({
        "createdAt": "2026-08-10T03:04:53Z", "expiresAt": "2026-09-09T03:04:53Z", "groupId": PROJECT,
        "groupName": "demo", "id": id, "inviterUsername": PUBLIC_KEY, "roles": ["GROUP_OWNER", "GROUP_READ_ONLY"],
        "username": username
    })
}

pub fn api_error(status: u16, code: &str) -> Reply {
    Reply::json(status, &json!({"error": status, "errorCode": code, "detail": "Words of the API.", "parameters": null}))
}

pub fn challenge() -> Reply {
    Reply::json(401, &json!({"error": 401, "errorCode": "UNEXPECTED_ERROR", "detail": "You are not authorized."}))
        .with("WWW-Authenticate", CHALLENGE)
}

pub fn stale_challenge() -> Reply {
    let fresh = CHALLENGE.replace("Zm9v", "YmFy").replace("stale=false", "stale=true");
    Reply::empty(401).with("WWW-Authenticate", &fresh)
}

/// Demands a digest, checks it with another implementation, and only then lets the handler answer.
pub fn with_digest(handler: impl Fn(&Seen) -> Reply + Send + Sync) -> impl Fn(&Seen) -> Reply + Send + Sync {
    move |request| match request.header("authorization") {
        None => challenge(),
        Some(authorization) => {
            assert!(digest_is_right(request, authorization, CHALLENGE), "wrong digest: {authorization}");
            handler(request)
        }
    }
}

pub fn digest_is_right(request: &Seen, authorization: &str, challenge: &str) -> bool {
    let theirs = digest_auth::AuthorizationHeader::parse(authorization).unwrap();
    let method = digest_auth::HttpMethod::from(request.method.as_str());
    let mut context =
        digest_auth::AuthContext::new_with_method(PUBLIC_KEY, PRIVATE_KEY, &request.target, None::<&[u8]>, method);
    if let Some(cnonce) = &theirs.cnonce {
        context.set_custom_cnonce(cnonce);
    }
    let expected = digest_auth::parse(challenge).unwrap().respond(&context).unwrap();
    theirs.uri == request.target && theirs.response == expected.response
}

pub fn kind<T: std::fmt::Debug>(result: Result<T, Failure>) -> FailureKind {
    result.unwrap_err().kind
}

pub fn is_unavailable(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Unavailable { .. })
}
