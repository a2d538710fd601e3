//! The world of one test: namespaces, a simulator and an operator of its own.

use super::operator::{Operator, read_log};
use super::plane::{Plane, shared};
use super::under::{self, Under};
use atlas_sim::{Endpoint, Options, RequestRecord, Simulator};
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// How a world is to be.
pub struct Setup {
    flags: BTreeMap<String, String>,
    operator: bool,
}

impl Default for Setup {
    fn default() -> Self {
        // Divided by 20: quarantine 7 s, gap between two looks that miss a person 2 s, release 3 s, looks every 1.5 s.
        let flags = [
            ("--unsafe-timings", "20"),
            ("--post-deadline", "60s"),
            ("--server-delay", "40s"),
            ("--list-delay", "40s"),
            ("--absence-gap", "40s"),
            ("--call-deadline", "5s"),
            ("--release-after", "60s"),
            // The only replica, unless a test says otherwise: after a crash it need not wait for a lease of its own.
            ("--leader-elect", "false"),
            // Its simulator takes any number, unless a test says otherwise.
            ("--invitations-per-minute", "unlimited"),
            ("--log-level", "debug"),
            ("--log-format", "text"),
        ];
        Self { flags: flags.map(|(flag, value)| (flag.to_owned(), value.to_owned())).into(), operator: true }
    }
}

impl Setup {
    /// With another value of a flag.
    pub fn flag(mut self, flag: &str, value: &str) -> Self {
        self.flags.insert(flag.to_owned(), value.to_owned());
        self
    }

    /// The operator is started later.
    pub fn without_operator(mut self) -> Self {
        self.operator = false;
        self
    }

    /// Makes the world, on the shared control plane.
    pub async fn start(self) -> World {
        self.start_on(shared().await).await
    }

    /// Makes the world on a control plane.
    pub async fn start_on(self, plane: &Plane) -> World {
        if Under::of_this_run() == Under::ChartEverywhere {
            under::clear(plane).await;
        }
        let number = next_number();
        let namespace = format!("team-{number}");
        let operator_namespace = format!("operator-{number}");
        for name in [&namespace, &operator_namespace] {
            make_namespace(&plane.client, name, &[]).await;
        }
        let sim = Arc::new(Simulator::start(Options::default()).await.unwrap());
        sim.configure(|behaviour| {
            // Looks are twenty times as frequent as in production, and so would be refusals.
            behaviour.classic_rate_limit = None;
            behaviour.atlas_rate_limit = false;
        });
        let mut flags = self.flags;
        let port = sim.address().port();
        let mut default = |flag: &str, value: &str| {
            flags.entry(flag.to_owned()).or_insert_with(|| value.to_owned());
        };
        default("--watch-namespaces", if Under::of_this_run() == Under::ChartEverywhere { "" } else { &namespace });
        default("--allowed-hosts", &format!("127.0.0.1:{port},localhost:{port}"));
        let mut variables = BTreeMap::new();
        match Under::of_this_run() {
            Under::Administrator => {
                default("--kubeconfig", plane.operator_kubeconfig.to_str().unwrap());
                default("--operator-namespace", &operator_namespace);
            }
            Under::Chart | Under::ChartEverywhere => {
                let watched = flags.get("--watch-namespaces").map_or("", String::as_str);
                let installed = under::install(plane, &operator_namespace, watched).await;
                flags = installed.flags.into_iter().chain(flags).collect();
                variables = installed.variables;
            }
        }
        let mut world = World {
            operator: None,
            client: plane.client.clone(),
            namespace,
            operator_namespace,
            sim,
            flags,
            variables,
            folder: Arc::new(TempDir::new().unwrap()),
            mails_allowed: 1,
        };
        if self.operator {
            world.start_operator();
        }
        world
    }
}

fn next_number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Makes a namespace.
pub async fn make_namespace(client: &Client, name: &str, labels: &[(&str, &str)]) {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let metadata = ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
}

/// The world of one test.
pub struct World {
    pub operator: Option<Operator>,
    pub client: Client,
    /// Where the test's objects are.
    pub namespace: String,
    /// Where the claims are.
    pub operator_namespace: String,
    pub sim: Arc<Simulator>,
    flags: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    folder: Arc<TempDir>,
    /// Nobody may have got more e-mails for a project when the test ends.
    pub mails_allowed: usize,
}

impl World {
    /// The usual world.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// Another namespace of the same operator and the same simulator.
    pub async fn beside(&self, labels: &[(&str, &str)]) -> Self {
        let namespace = format!("{}-{}", self.namespace, next_number());
        make_namespace(&self.client, &namespace, labels).await;
        Self {
            operator: None,
            client: self.client.clone(),
            namespace,
            operator_namespace: self.operator_namespace.clone(),
            sim: Arc::clone(&self.sim),
            flags: self.flags.clone(),
            variables: self.variables.clone(),
            folder: Arc::clone(&self.folder),
            mails_allowed: self.mails_allowed,
        }
    }

    /// Starts the operator, again or for the first time.
    pub fn start_operator(&mut self) {
        self.operator = Some(Operator::start(&self.flags, &self.variables, &self.folder.path().join("operator.log")));
    }

    /// Lets operators be started with these flags and variables, and with those of the setup that only make it quick.
    pub fn deploy(&mut self, flags: BTreeMap<String, String>, variables: BTreeMap<String, String>) {
        const QUICK: [&str; 7] = [
            "--unsafe-timings",
            "--post-deadline",
            "--server-delay",
            "--list-delay",
            "--absence-gap",
            "--call-deadline",
            "--release-after",
        ];
        self.flags.retain(|flag, _| QUICK.contains(&flag.as_str()));
        self.flags.extend(flags);
        self.variables = variables;
    }

    /// Starts one more replica, with a log of its own.
    pub fn replica(&self, name: &str) -> Operator {
        Operator::start(&self.flags, &self.variables, &self.folder.path().join(format!("{name}.log")))
    }

    /// Another operator for the same namespaces, as during a careless update.
    pub fn another_operator(&self) -> Operator {
        Operator::start(&self.flags, &self.variables, &self.folder.path().join("operator.log"))
    }

    /// Changes a flag of the next start.
    pub fn set_flag(&mut self, flag: &str, value: &str) {
        self.flags.insert(flag.to_owned(), value.to_owned());
    }

    /// Lets operators be started without a kubeconfig, and returns where the one lies that they had.
    pub fn without_kubeconfig(&mut self, variables: &[(&str, &str)]) -> PathBuf {
        self.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.flags.remove("--kubeconfig").map(PathBuf::from).expect("operators have one")
    }

    /// Lets the next start serve another world's namespace, too.
    pub async fn watch_also(&mut self, other: &Self) {
        if Under::of_this_run() == Under::Chart {
            under::install_also(shared().await, &self.operator_namespace, &other.namespace).await;
        }
        self.set_flag("--watch-namespaces", &format!("{},{}", self.namespace, other.namespace));
    }

    /// Kills the operator.
    pub fn kill_operator(&mut self) {
        self.operator.take().unwrap().kill();
    }

    /// Kills the operator and starts another.
    pub fn restart_operator(&mut self) {
        self.kill_operator();
        self.start_operator();
    }

    /// Everything that the operators of this test have logged.
    pub fn log(&self) -> String {
        read_log(&self.folder.path().join("operator.log"))
    }

    /// E-mails to a person so far.
    pub fn mails(&self, person: &str) -> usize {
        self.sim.mails_to(person).len()
    }

    /// Requests of an operation that could have an effect.
    pub fn calls(&self, endpoint: Endpoint) -> Vec<RequestRecord> {
        self.sim.requests().into_iter().filter(|request| request.endpoint == endpoint && request.acted()).collect()
    }

    /// Requests that could change something at MongoDB.
    pub fn mutations(&self) -> Vec<RequestRecord> {
        let changes = |request: &RequestRecord| request.method != "GET" && request.endpoint != Endpoint::CreateToken;
        self.sim.requests().into_iter().filter(changes).collect()
    }

    /// What happened, for whoever has to find out why a test failed.
    fn report(&self) -> String {
        let mut report = String::new();
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let _ = writeln!(report, "--- the last lines of the operator's log ({})", self.namespace);
        for line in lines.iter().skip(lines.len().saturating_sub(60)) {
            let _ = writeln!(report, "{line}");
        }
        let _ = writeln!(report, "--- requests, the last 40");
        let requests = self.sim.requests();
        for request in requests.iter().skip(requests.len().saturating_sub(40)) {
            let _ = writeln!(
                report,
                "{} {} {} {:?} {:?} {:?}",
                request.at, request.method, request.path, request.status, request.error_code, request.faults
            );
        }
        let _ = writeln!(report, "--- outbox");
        for mail in self.sim.outbox() {
            let _ = writeln!(report, "{} {:?} {} {:?}", mail.at, mail.kind, mail.to, mail.invitation_id);
        }
        report
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.report());
            return;
        }
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for mail in self.sim.outbox() {
            *counts.entry((mail.to.to_ascii_lowercase(), mail.project)).or_default() += 1;
        }
        if let Some((who, count)) = counts.iter().find(|(_, count)| **count > self.mails_allowed) {
            eprintln!("{}", self.report());
            panic!("{who:?} got {count} e-mails");
        }
    }
}
