//! A simulator with one project, and a client of its own.
//!
//! Owns the client side of the tests, with a minimal two-leg digest. Must never share code with
//! the simulator or the operator.

use atlas_sim::{Credential, CredentialSeed, Options, Product, ProjectSeed, Simulator};
use digest_auth::{AuthContext, HttpMethod};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

pub(crate) const INVITES: &str = "application/vnd.atlas.2023-01-01+json";
pub(crate) const USERS: &str = "application/vnd.atlas.2025-02-19+json";
pub(crate) const JANE: &str = "jane.doe@example.com";

/// A simulator with one project and an API key that owns it.
pub(crate) struct Lab {
    pub(crate) sim: Simulator,
    pub(crate) project: String,
    pub(crate) key: Credential,
    pub(crate) http: Client,
    pub(crate) accept: &'static str,
    pub(crate) prefix: &'static str,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errorCode"].as_str().unwrap_or_default().to_owned())
    }

    /// The answer, which must be a success.
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json()
    }
}

impl Lab {
    pub(crate) async fn atlas() -> Self {
        Self::new(Product::Atlas).await
    }

    pub(crate) async fn new(product: Product) -> Self {
        Self::with(product, Options::default()).await
    }

    pub(crate) async fn with(product: Product, options: Options) -> Self {
        let sim = Simulator::start(options).await.unwrap();
        let project = sim.seed_project(ProjectSeed::new(product, "payments"));
        let org = sim.org_of(&project).unwrap();
        let key =
            sim.seed_credential(CredentialSeed::api_key().grant(&project, ["GROUP_OWNER"]).grant(&org, ["ORG_OWNER"]));
        let (prefix, accept) = match product {
            Product::Atlas => ("/api/atlas/v2", INVITES),
            Product::CloudManager | Product::OpsManager => ("/api/public/v1.0", "application/json"),
        };
        Self { sim, project, key, http: client(), accept, prefix }
    }

    /// The same lab speaking the 2025-02-19 version.
    pub(crate) async fn users() -> Self {
        Self { accept: USERS, ..Self::atlas().await }
    }

    pub(crate) fn org(&self) -> String {
        self.sim.org_of(&self.project).unwrap()
    }

    /// A path of the project.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{}/groups/{}{rest}", self.prefix, self.project)
    }

    pub(crate) fn api(&self, rest: &str) -> String {
        format!("{}{rest}", self.prefix)
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: Option<&Value>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.sim.base_url())).header("accept", self.accept);
        match body {
            Some(body) => request.header("content-type", self.accept).body(body.to_string()),
            None => request,
        }
    }

    /// Both legs of a digest call with the lab's key.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Got {
        self.try_send(&self.key, method, path, body).await.unwrap()
    }

    pub(crate) async fn send_as(&self, key: &Credential, method: Method, path: &str, body: Option<&Value>) -> Got {
        self.try_send(key, method, path, body).await.unwrap()
    }

    pub(crate) async fn try_send(
        &self,
        key: &Credential,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Got> {
        let first = got(self.request(method.clone(), path, body)).await?;
        if first.status != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        let header = answer_challenge(&first, key, &method, path);
        got(self.request(method, path, body).header("authorization", header)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Got {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Got {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Got {
        self.send(Method::DELETE, path, None).await
    }

    /// Invites a person as a read-only member.
    pub(crate) async fn invite(&self, username: &str) -> Got {
        self.post(&self.path("/invites"), &invitation(username)).await
    }

    /// The legacy list.
    pub(crate) async fn invites(&self) -> Vec<Value> {
        self.get(&self.path("/invites")).await.ok().as_array().unwrap().clone()
    }
}

pub(crate) fn invitation(username: &str) -> Value {
    json!({"roles": ["GROUP_READ_ONLY"], "username": username})
}

pub(crate) fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub(crate) async fn got(request: RequestBuilder) -> reqwest::Result<Got> {
    let response = request.send().await?;
    Ok(Got { status: response.status(), headers: response.headers().clone(), text: response.text().await? })
}

/// The header that answers a challenge.
pub(crate) fn answer_challenge(challenge: &Got, key: &Credential, method: &Method, path: &str) -> String {
    let mut prompt = digest_auth::parse(challenge.header("www-authenticate")).unwrap();
    let method = HttpMethod::from(method.as_str().to_owned());
    let context = AuthContext::new_with_method(&key.id, &key.secret, path, None::<&[u8]>, method);
    prompt.respond(&context).unwrap().to_header_string()
}
