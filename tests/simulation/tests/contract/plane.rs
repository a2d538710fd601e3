//! The real side of Kubernetes: one kube-apiserver with etcd for all rules, through the operator's own port.

use crate::cluster::Plane;
use control_plane::{ControlPlane, Options};
use invitation_operator::api::crd::crds;
use invitation_operator::api::{ProjectInvitation, ProjectInvitationSpec};
use invitation_operator::controller::cluster::Cluster;
use invitation_operator::controller::kube_cluster::KubeCluster;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, Config};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});
static SHARED: OnceCell<(ControlPlane, Client)> = OnceCell::const_new();
static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// A namespace of its own for each rule, which is the operator's, too.
pub(crate) struct RealPlane {
    port: KubeCluster,
    objects: Api<ProjectInvitation>,
    namespace: String,
}

pub(crate) fn each(rule: impl AsyncFnOnce(RealPlane)) {
    RUNTIME.block_on(async {
        let (_, client) = SHARED.get_or_init(start).await;
        let namespace = format!("rule-{}", NAMESPACES.fetch_add(1, Ordering::Relaxed));
        let made = serde_json::from_value(serde_json::json!({"metadata": {"name": namespace}})).unwrap();
        Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &made).await.unwrap();
        let objects = Api::namespaced(client.clone(), &namespace);
        let port = KubeCluster::new(client.clone(), &namespace);
        rule(RealPlane { port, objects, namespace }).await;
    });
}

async fn start() -> (ControlPlane, Client) {
    let plane = ControlPlane::start(Options::default()).await.expect("a control plane");
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig_path()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in crds() {
        api.create(&PostParams::default(), &crd).await.unwrap();
    }
    for crd in crds() {
        await_condition(api.clone(), &crd.metadata.name.unwrap(), conditions::is_crd_established()).await.unwrap();
    }
    (plane, client)
}

impl Plane for RealPlane {
    fn port(&self) -> &dyn Cluster {
        &self.port
    }

    async fn create(&self, name: &str, spec: ProjectInvitationSpec) {
        let object = ProjectInvitation::new(name, spec);
        self.objects.create(&PostParams::default(), &object).await.unwrap();
    }

    async fn delete(&self, name: &str) {
        self.objects.delete(name, &DeleteParams::default()).await.unwrap();
    }

    async fn edit(&self, name: &str, edit: impl FnOnce(&mut ProjectInvitation)) {
        let mut object = self.objects.get(name).await.unwrap();
        edit(&mut object);
        self.objects.replace(name, &PostParams::default(), &object).await.unwrap();
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }
}
