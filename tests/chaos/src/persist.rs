//! Reads and writes of the harness that outlast an outage of the API server.
//!
//! Owns what makes a repetition harmless: names are used once, and deletions name the uid. Must never be used by what is
//! under test.

use anyhow::{Context, Result};
use invitation_operator::controller::kube_error::plain;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;
use std::time::Duration;

/// No outage lasts longer.
const LIMIT: Duration = Duration::from_secs(180);
/// One try.
const TRY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the API server has understood and said no.
fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code < 500 && status.code != 429)
}

/// Tries until the API server answers.
///
/// # Errors
/// What it says when it refuses.
pub async fn persist<T>(call: impl AsyncFn() -> kube::Result<T>) -> Result<T> {
    let trying = async {
        loop {
            match tokio::time::timeout(TRY, call()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if is_refusal(&error) => return Err(anyhow::Error::msg(plain(&error))),
                Ok(Err(_)) | Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::time::timeout(LIMIT, trying).await.context("the API server does not come back")?
}

/// Creates an object; one that is there already was made by a try without an answer.
///
/// # Errors
/// When the API server refuses.
pub async fn create<K>(api: &Api<K>, object: &K) -> Result<K>
where
    K: Resource + Clone + Debug + Serialize + DeserializeOwned,
{
    let name = object.name_any();
    let created = persist(async || match api.create(&PostParams::default(), object).await {
        Ok(created) => Ok(Some(created)),
        Err(kube::Error::Api(status)) if status.code == 409 => api.get_opt(&name).await,
        Err(error) => Err(error),
    });
    created.await?.with_context(|| format!("{name} went away at once"))
}

/// Reads an object.
///
/// # Errors
/// When the API server refuses.
pub async fn get<K: Clone + Debug + DeserializeOwned>(api: &Api<K>, name: &str) -> Result<Option<K>> {
    persist(async || api.get_opt(name).await).await
}

/// Reads all objects.
///
/// # Errors
/// When the API server refuses.
pub async fn list<K: Clone + Debug + DeserializeOwned>(api: &Api<K>) -> Result<Vec<K>> {
    Ok(persist(async || api.list(&ListParams::default()).await).await?.items)
}

/// Merges a patch into an object, if it is there.
///
/// # Errors
/// When the API server refuses.
pub async fn merge<K: Clone + Debug + DeserializeOwned>(api: &Api<K>, name: &str, patch: &Value) -> Result<()> {
    let patch = Patch::Merge(patch);
    persist(async || match api.patch(name, &PatchParams::default(), &patch).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error),
    })
    .await
}

/// Asks for the deletion of just this object; what holds it may let it go later.
///
/// # Errors
/// When the API server refuses.
pub async fn delete<K: Clone + Debug + DeserializeOwned>(api: &Api<K>, name: &str, uid: &str) -> Result<()> {
    let only_this = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
    let params = DeleteParams { preconditions: Some(only_this), ..DeleteParams::default() };
    persist(async || match api.delete(name, &params).await {
        Ok(_) => Ok(()),
        // Gone, or another of its name.
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(error),
    })
    .await
}
