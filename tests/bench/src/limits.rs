//! The physical limits of the machine: how fast this very API server takes raw writes, and how fast the disk syncs.

use crate::stage::Stage;
use crate::statistics::{number, quantile};
use crate::team::{Person, apply_over};
use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use invitation_operator::api::ProjectInvitation;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use rustix::fs::fdatasync;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// What one API server takes over so many connections.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rates {
    pub(crate) connections: usize,
    /// Creations of an invitation's object, per second.
    pub(crate) creates_per_s: f64,
    /// Merge patches of its status, per second.
    pub(crate) status_patches_per_s: f64,
}

/// How long a disk takes to make 4 kB safe.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiskSync {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Writes so many objects over each of these numbers of connections, and takes them away again. No operator may be running.
pub(crate) async fn measure(stage: &Stage, count: usize, over: &[usize]) -> Result<Vec<Rates>> {
    const NAMESPACE: &str = "limits";
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } }))?;
    Api::all(stage.client.clone()).create(&PostParams::default(), &namespace).await?;
    let objects: Api<ProjectInvitation> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let raw = |number: usize| Person {
        namespace: NAMESPACE.to_owned(),
        name: format!("raw-{number}"),
        username: format!("raw-{number}@example.com"),
        project: "5f1d7c8e9a3b2c4d5e6f7a8b".to_owned(),
    };
    // The API server makes the first creations of a new kind wait for two seconds.
    raw(count).apply(stage).await?;
    let mut all = Vec::new();
    for connections in over.iter().copied() {
        let people: Vec<_> = (0..count).map(raw).collect();
        let began = Instant::now();
        apply_over(stage, &people, connections).await?;
        let creating = began.elapsed().as_secs_f64();
        let patch = Patch::Merge(json!({ "status": { "phase": "Pending", "observedGeneration": 1 } }));
        let began = Instant::now();
        let patching = stream::iter(&people).map(|person| {
            let (objects, patch) = (&objects, &patch);
            async move { objects.patch_status(&person.name, &PatchParams::default(), patch).await }
        });
        let _: Vec<_> = patching.buffer_unordered(connections).try_collect().await?;
        let patched = began.elapsed().as_secs_f64();
        all.push(Rates {
            connections,
            creates_per_s: number(count) / creating,
            status_patches_per_s: number(count) / patched,
        });
        objects.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        while !objects.list(&ListParams::default().limit(1)).await?.items.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(all)
}

/// How long so many new invitations take at least: two creations each, the object's and the claim's, and three patches, each
/// at the measured rate.
pub(crate) fn least_seconds(rates: &[Rates], people: usize) -> Option<f64> {
    let best = |rate: fn(&Rates) -> f64| rates.iter().map(rate).max_by(f64::total_cmp);
    let (creates, patches) = (best(|rates| rates.creates_per_s)?, best(|rates| rates.status_patches_per_s)?);
    Some(number(people) * (2.0 / creates + 3.0 / patches))
}

/// Of the disk that holds `folder`.
pub(crate) fn disk(folder: &Path) -> Result<DiskSync> {
    let path = folder.join("fdatasync.probe");
    let mut file = File::create(&path)?;
    let mut took = Vec::new();
    for _ in 0..100 {
        file.write_all(&[0_u8; 4096])?;
        let began = Instant::now();
        fdatasync(&file)?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    std::fs::remove_file(path)?;
    let at = |share| quantile(&took, share).unwrap_or_default();
    Ok(DiskSync { p50_ms: at(0.5), p99_ms: at(0.99) })
}
