//! One control plane for all tests of a binary, started by the first that needs it; one for each thread where an operator
//! serves the whole of it.
//!
//! Must never be changed by a test in a way that another could notice.

use super::under::Under;
use control_plane::{ControlPlane, Options, Proxy};
use invitation_operator::api::crd::crds;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, Config};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// The operator acts under this name, so that the audit log tells its requests from those of the tests.
pub const OPERATOR_USER: &str = "the-operator";

/// Every request once: a watch when it begins, since it may outlast the tests, everything else when it was answered.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: Metadata
  verbs: [watch]
  omitStages: [RequestReceived, ResponseComplete]
- level: Metadata
  omitStages: [RequestReceived, ResponseStarted]
";

/// All tests run here, and what they share lives here.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime")
});

/// A control plane and ways to it.
pub struct Plane {
    pub control: ControlPlane,
    /// As administrator, for the tests.
    pub client: Client,
    /// Under the operator's own name, for the operator.
    pub operator_kubeconfig: PathBuf,
}

static SHARED: OnceCell<&Plane> = OnceCell::const_new();
/// All that were started for tests to share.
static STARTED: Mutex<Vec<&Plane>> = Mutex::new(Vec::new());
thread_local! {
    /// Tests run in the thread that began them.
    static OF_THIS_THREAD: Cell<Option<&'static Plane>> = const { Cell::new(None) };
}

/// The shared control plane, with the definitions applied.
pub async fn shared() -> &'static Plane {
    if Under::of_this_run() != Under::ChartEverywhere {
        return SHARED.get_or_init(start_shared).await;
    }
    if let Some(plane) = OF_THIS_THREAD.get() {
        return plane;
    }
    let plane = start_shared().await;
    OF_THIS_THREAD.set(Some(plane));
    plane
}

async fn start_shared() -> &'static Plane {
    let options = Options {
        audit_log: Some("audit.log".into()),
        audit_policy: Some(AUDIT_POLICY.to_owned()),
        ..Options::default()
    };
    let plane = start(options).await;
    apply_definitions(&plane.client).await;
    let plane: &Plane = Box::leak(Box::new(plane));
    STARTED.lock().unwrap().push(plane);
    plane
}

/// All shared control planes that tests have needed.
pub fn started() -> Vec<&'static Plane> {
    STARTED.lock().unwrap().clone()
}

/// Starts a control plane that knows nothing of the operator.
pub async fn start(options: Options) -> Plane {
    let plane = ControlPlane::start(options).await.expect("a control plane");
    let client = client(plane.kubeconfig_path()).await;
    let operator_kubeconfig = as_the_operator(plane.kubeconfig_path());
    Plane { control: plane, client, operator_kubeconfig }
}

/// The same kubeconfig under the operator's own name.
fn as_the_operator(kubeconfig: &Path) -> PathBuf {
    let file = kubeconfig.with_extension("operator");
    let mut kubeconfig: serde_json::Value = serde_json::from_slice(&std::fs::read(kubeconfig).unwrap()).unwrap();
    let user = &mut kubeconfig["users"][0]["user"];
    user["as"] = OPERATOR_USER.into();
    user["as-groups"] = serde_json::json!(["system:masters"]);
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    file
}

/// A proxy between an operator and the API server.
pub struct Between {
    pub proxy: Proxy,
    /// Leads through it, under the operator's own name.
    pub operator_kubeconfig: PathBuf,
}

impl Plane {
    /// Puts a proxy between.
    pub async fn between(&self) -> Between {
        let proxy = self.control.proxy().await.expect("a proxy");
        let operator_kubeconfig = as_the_operator(proxy.kubeconfig_path());
        Between { proxy, operator_kubeconfig }
    }
}

async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Applies the definitions and waits until they are served.
pub async fn apply_definitions(client: &Client) {
    apply(client, &crds()).await;
}

/// The same with definitions of the test's own.
pub async fn apply(client: &Client, definitions: &[CustomResourceDefinition]) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in definitions {
        api.create(&PostParams::default(), crd).await.unwrap();
    }
    for crd in definitions {
        let name = crd.metadata.name.as_deref().unwrap();
        await_condition(api.clone(), name, conditions::is_crd_established()).await.unwrap();
    }
}
