//! The control plane that everything here runs on.
//!
//! Must never be used by the harness through a relay: what it reads is the truth.

use crate::persist::{self, persist};
use anyhow::{Context, Result};
use control_plane::{ControlPlane, Options};
use invitation_operator::api::crd::crds;
use invitation_operator::runtime::cluster::{WATCH_RENEWAL, connect};
use invitation_operator::runtime::settings::ClusterAccess;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::Api;
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;
use std::time::Duration;

/// A control plane that knows the operator's kinds.
pub struct Plane {
    /// Starts, kills and pauses the API server.
    pub control: ControlPlane,
    /// The administrator.
    pub client: Client,
}

impl Plane {
    /// Starts one.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start() -> Result<Self> {
        let control = ControlPlane::start(Options::default()).await?;
        let access = ClusterAccess { kubeconfig: Some(control.kubeconfig_path().to_owned()), context: None };
        let client = connect(&access, WATCH_RENEWAL).await?;
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        for definition in crds() {
            persist::create(&definitions, &definition).await?;
            let name = definition.metadata.name.unwrap_or_default();
            let established = await_condition(definitions.clone(), &name, conditions::is_crd_established());
            tokio::time::timeout(Duration::from_secs(30), established).await.context("a kind is not served")??;
        }
        Ok(Self { control, client })
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn namespace(&self, name: &str) -> Result<()> {
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } }))?;
        persist::create(&Api::all(self.client.clone()), &namespace).await?;
        Ok(())
    }

    /// Kills the API server and starts it again; returns when it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart(&self) -> Result<()> {
        self.control.kill_api_server().await?;
        self.control.start_api_server().await?;
        persist(async || self.client.apiserver_version().await).await?;
        Ok(())
    }
}
