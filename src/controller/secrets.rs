//! Reads what an inviter refers to: its Secret and its CA bundle, by name, never by list or watch.
//!
//! Must never log or keep what it reads.

use super::cluster::ClusterError;
use super::inviter_spec::InviterSettings;
use super::kube_cluster::within;
use crate::api::{CaBundleRef, CaBundleSource, Reason};
use crate::domain::finding::Finding;
use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, ResourceExt};
use std::collections::BTreeMap;

/// A Secret's or ConfigMap's content, with a name for just this version of it.
pub struct Content {
    /// Keys and values.
    pub data: BTreeMap<String, Vec<u8>>,
    /// Changes whenever the content does.
    pub version: String,
}

/// Where an inviter's credentials and certificates are read. Errors name the object and the cure.
pub trait Secrets: Send + Sync {
    /// Reads the credentials' Secret.
    fn credentials<'a>(&'a self, settings: &'a InviterSettings) -> BoxFuture<'a, Result<Content, Finding>>;

    /// Reads the certificates of a private certification authority, and the name of their version.
    fn ca_bundle<'a>(
        &'a self,
        namespace: &'a str,
        from: &'a CaBundleRef,
    ) -> BoxFuture<'a, Result<(Vec<u8>, String), Finding>>;
}

/// [`Secrets`] over the Kubernetes API.
pub struct KubeSecrets(pub Client);

impl Secrets for KubeSecrets {
    fn credentials<'a>(&'a self, settings: &'a InviterSettings) -> BoxFuture<'a, Result<Content, Finding>> {
        secret(&self.0, &settings.secret_namespace, &settings.secret_name).boxed()
    }

    fn ca_bundle<'a>(
        &'a self,
        namespace: &'a str,
        from: &'a CaBundleRef,
    ) -> BoxFuture<'a, Result<(Vec<u8>, String), Finding>> {
        ca_bundle(&self.0, namespace, from).boxed()
    }
}

async fn ca_bundle(client: &Client, namespace: &str, from: &CaBundleRef) -> Result<(Vec<u8>, String), Finding> {
    let content = match from.kind {
        CaBundleSource::Secret => secret(client, namespace, &from.name).await,
        CaBundleSource::ConfigMap => config_map(client, namespace, &from.name).await,
    };
    let kind = match from.kind {
        CaBundleSource::Secret => "Secret",
        CaBundleSource::ConfigMap => "ConfigMap",
    };
    let mut content =
        content.map_err(|finding| Finding { reason: Reason::CaBundleInvalid, message: finding.message })?;
    match content.data.remove(&from.key) {
        Some(pem) => Ok((pem, content.version)),
        None => Err(Finding::new(
            Reason::CaBundleInvalid,
            format!("{kind} {namespace}/{} has no key {}: put the PEM certificates there", from.name, from.key),
        )),
    }
}

async fn secret(client: &Client, namespace: &str, name: &str) -> Result<Content, Finding> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = read(within(secrets.get_opt(name)).await, "Secret", namespace, name)?;
    let version = version(&secret);
    Ok(Content {
        data: secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect(),
        version,
    })
}

async fn config_map(client: &Client, namespace: &str, name: &str) -> Result<Content, Finding> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = read(within(maps.get_opt(name)).await, "ConfigMap", namespace, name)?;
    let version = version(&map);
    let text = map.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.into_bytes()));
    let binary = map.binary_data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0));
    Ok(Content { data: text.chain(binary).collect(), version })
}

fn version(object: &impl ResourceExt) -> String {
    format!("{}/{}", object.uid().unwrap_or_default(), object.resource_version().unwrap_or_default())
}

fn read<K>(answer: Result<Option<K>, ClusterError>, kind: &str, namespace: &str, name: &str) -> Result<K, Finding> {
    match answer {
        Ok(Some(object)) => Ok(object),
        Ok(None) | Err(ClusterError::Gone) => {
            Err(Finding::new(Reason::SecretNotFound, format!("{kind} {namespace}/{name} does not exist: create it")))
        }
        Err(ClusterError::Refused(why)) => Err(Finding::new(
            Reason::SecretNotFound,
            format!("the operator may not read {kind} {namespace}/{name} ({why}): allow it to get it"),
        )),
        Err(error @ (ClusterError::Conflict | ClusterError::Unanswered(_))) => {
            Err(Finding::new(Reason::InviterNotReady, format!("{kind} {namespace}/{name} could not be read: {error}")))
        }
    }
}
