//! `atlas-sim`: the simulator as a program, to rehearse invitations offline.
//!
//! Owns flags, the seed file, the built-in seed and the end by signal. Everything else is in the
//! library.

use std::{
    io::{Error, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use atlas_sim::{
    Behaviour, CredentialKind, CredentialSeed, Deployment, Options, OrgMemberSeed, OrganizationSeed, Product,
    ProjectSeed, Seed, Seeded, Simulator, Span, TlsIdentity,
};
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "\
EXAMPLES:
    atlas-sim --invitation-life 45s
    atlas-sim --seed seed.yaml --listen 127.0.0.1:8080 --control 127.0.0.1:8081

Without --seed there is one project of each product, an API key and a service account that own
everything, and an organisation whose member is member@example.com. The control API lets people
accept and decline, moves the clock and makes calls fail:
    curl -d '{\"projectId\":\"…\",\"username\":\"jane@example.com\"}' http://127.0.0.1:8081/sim/accept
    curl http://127.0.0.1:8081/sim/outbox";

/// Simulates the invitation APIs of Atlas, Cloud Manager and Ops Manager, in memory.
#[derive(Debug, Parser)]
#[command(version, about, after_help = HELP)]
struct Arguments {
    /// Address of the simulated service; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the control API, which nobody has to authenticate to
    #[arg(long, default_value = "127.0.0.1:8081")]
    control: SocketAddr,
    /// Allow addresses that are not loopback
    #[arg(long)]
    allow_remote: bool,
    /// What to stand for: everything on one address, the cloud, or an Ops Manager
    #[arg(long, value_enum, default_value_t = Host::Everything)]
    host: Host,
    /// Projects, people and credentials to start with, as YAML or JSON
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// How long invitations live, for example 45s or 30d
    #[arg(long, default_value = "30d")]
    invitation_life: Span,
    /// Invitations per minute and address on Atlas before a 400; 0 for no throttle
    #[arg(long, default_value_t = 10)]
    invitation_throttle: u32,
    /// How long a minute of that throttle lasts, for example 3s beside an operator whose times are divided by 20
    #[arg(long, default_value = "60s")]
    invitation_throttle_window: Span,
    /// Token requests per minute, address and client before a 429; 0 for no limit
    #[arg(long, default_value_t = 50)]
    token_rate_limit: u32,
    /// Added to every call, for example 150ms
    #[arg(long, default_value = "0s")]
    latency: Span,
    /// How long a new invitation is missing from lists, for example 2s
    #[arg(long, default_value = "0s")]
    list_lag: Span,
    /// PEM file of a certificate chain, to serve TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Host {
    Everything,
    Cloud,
    OpsManager,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_listens = writeln!(std::io::stderr(), "atlas-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    let exposed = [arguments.listen, arguments.control].into_iter().find(|address| !address.ip().is_loopback());
    if let Some(address) = exposed
        && !arguments.allow_remote
    {
        return Err(Error::other(format!("{address} is not loopback; say --allow-remote to mean it")));
    }
    let seed = match &arguments.seed {
        Some(path) => read_seed(path)?,
        None => built_in_seed(),
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let sim = Simulator::start(options(&arguments)?).await?;
    let seeded = sim.seed(seed.clone());
    write!(std::io::stdout(), "{}", describe(&sim, &seed, &seeded))?;
    std::io::stdout().flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    sim.stop().await;
    Ok(())
}

fn options(arguments: &Arguments) -> Result<Options, Error> {
    let some = |limit: u32| (limit > 0).then_some(limit);
    let tls = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(TlsIdentity { certificate_pem: read(certificate)?, key_pem: read(key)? })
        }
        _ => None,
    };
    Ok(Options {
        listen: arguments.listen,
        control: arguments.control,
        deployment: match arguments.host {
            Host::Everything => Deployment::Everything,
            Host::Cloud => Deployment::Cloud,
            Host::OpsManager => Deployment::OpsManager,
        },
        tls,
        behaviour: Behaviour {
            invitation_life: arguments.invitation_life,
            invitation_throttle: some(arguments.invitation_throttle),
            invitation_throttle_window: arguments.invitation_throttle_window,
            token_rate_limit: some(arguments.token_rate_limit),
            latency: arguments.latency,
            list_lag: arguments.list_lag,
            ..Behaviour::strict()
        },
        random_seed: None,
    })
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| Error::other(format!("{}: {error}", path.display())))
}

fn read_seed(path: &Path) -> Result<Seed, Error> {
    // JSON is YAML, so one reader is enough.
    serde_saphyr::from_str(&read(path)?).map_err(|error| Error::other(format!("{}: {error}", path.display())))
}

/// One project of each product, everything owned by one API key and one service account. The ids
/// are fixed so that manifests can name them.
fn built_in_seed() -> Seed {
    let org = "5f0000000000000000000001";
    let project = |id: &str, product, name: &str| ProjectSeed {
        id: Some(id.to_owned()),
        org_id: Some(org.to_owned()),
        ..ProjectSeed::new(product, name)
    };
    let all = ["GROUP_OWNER", "ORG_OWNER"];
    Seed {
        organizations: vec![OrganizationSeed {
            id: Some(org.to_owned()),
            name: Some("Rehearsal".to_owned()),
            members: vec![OrgMemberSeed { username: "member@example.com".to_owned(), roles: Vec::new() }],
            federated_domains: vec!["federated.example.com".to_owned()],
        }],
        projects: vec![
            project("5f00000000000000000000a1", Product::Atlas, "atlas"),
            project("5f00000000000000000000c1", Product::CloudManager, "cloud-manager"),
            project("5f00000000000000000000d1", Product::OpsManager, "ops-manager"),
        ],
        accounts: Vec::new(),
        credentials: vec![
            CredentialSeed::api_key().with_secret("simpublic", "sim-private-key").grant("*", all),
            CredentialSeed::service_account().with_secret("mdb_sa_id_sim", "mdb_sa_sk_sim").grant("*", all),
        ],
    }
}

fn describe(sim: &Simulator, seed: &Seed, seeded: &Seeded) -> String {
    let mut lines =
        vec![format!("base URL      {}", sim.base_url()), format!("control API   {}/sim/status", sim.control_url())];
    for (id, organization) in seeded.organizations.iter().zip(&seed.organizations) {
        lines.push(format!("organisation  {id}  {}", organization.name.as_deref().unwrap_or_default()));
    }
    for (id, project) in seeded.projects.iter().zip(&seed.projects) {
        lines.push(format!(
            "project       {id}  {:?}  {}",
            project.product,
            project.name.as_deref().unwrap_or_default()
        ));
    }
    for credential in &seeded.credentials {
        let kind = match credential.kind {
            CredentialKind::ApiKey => "API key      ",
            CredentialKind::ServiceAccount => "service acct ",
        };
        lines.push(format!("{kind} {}  {}", credential.id, credential.secret));
    }
    lines.push(String::new());
    lines.join("\n")
}
