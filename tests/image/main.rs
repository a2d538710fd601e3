//! The image: what it holds, and whether the operator in it works with nothing else around.
//!
//! `IMAGE` names the OCI archive; with `E2E_UNDER=chart` the operator has the arguments, the environment and the rights of the
//! chart. Needs root, for `chroot` and a name server. Not part of `cargo test`: `make image` runs it.

#![allow(unreachable_pub)] // the harness is shared by several targets
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::assigning_clones, clippy::unused_async)]

mod archive;
#[path = "../e2e/harness/mod.rs"]
mod harness;
mod names;

use archive::Image;
use atlas_sim::{Options, Simulator, TlsIdentity};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::plane::shared;
use harness::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::LazyLock;
use tokio::sync::OnceCell;
use url::Url;

/// The size that the project promises, compressed, as a registry keeps it.
const LARGEST_IMAGE: u64 = 12_000_000;
const LARGEST_BINARY: u64 = 10_485_760;

static IMAGE: LazyLock<Image> = LazyLock::new(|| {
    let archive = std::env::var_os("IMAGE").expect("IMAGE names no OCI archive: `make image` makes one");
    Image::open(Path::new(&archive))
});

fn main() -> ExitCode {
    runner::run(crate::tests![
        it_is_small_and_holds_nothing_else,
        it_says_what_it_is_and_runs_as_nobody,
        the_operator_in_it_says_its_version,
        the_operator_in_it_invites_and_ends_when_told,
        the_operator_in_it_finds_its_api_server_as_in_a_pod,
        the_operator_in_it_resolves_names_and_trusts_the_certificates_of_the_image,
    ])
}

async fn it_is_small_and_holds_nothing_else() {
    let files = IMAGE.files();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["LICENSE", "LICENSES-OF-CRATES", "etc/ssl/certs/ca-certificates.crt", "invitation-operator"]);
    let licences = std::fs::read_to_string(IMAGE.rootfs().join("LICENSES-OF-CRATES")).unwrap();
    for part in ["======== kube 5.", "======== rustls 0.", "Permission is hereby granted", "Apache License"] {
        assert!(licences.contains(part), "no {part:?} in the licences");
    }
    let binary = files.iter().find(|(name, _)| name == "invitation-operator").unwrap().1;
    println!("{}: {} bytes compressed, binary {binary} bytes", IMAGE.digest, IMAGE.compressed);
    assert!(IMAGE.compressed <= LARGEST_IMAGE && binary <= LARGEST_BINARY);
    let mode = IMAGE.rootfs().join("invitation-operator").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o555, "nobody may write the binary");
}

async fn it_says_what_it_is_and_runs_as_nobody() {
    let config = &IMAGE.config["config"];
    assert_eq!(config["User"], "65532:65532", "a number, so that runAsNonRoot can be checked");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/invitation-operator"]));
    assert_eq!(IMAGE.config["os"], "linux");
    for label in ["title", "description", "licenses", "source", "version", "revision", "created"] {
        let value = config["Labels"][format!("org.opencontainers.image.{label}")].as_str();
        assert!(value.is_some_and(|value| !value.is_empty() && !value.contains("unreleased")), "{label}: {value:?}");
    }
}

/// Runs in a copy of the image's root, as the image's user.
fn inside(rootfs: &Path) -> Command {
    let mut command = Command::new("chroot");
    command.arg("--userspec=65532:65532").arg(rootfs).arg("/invitation-operator");
    command
}

async fn the_operator_in_it_says_its_version() {
    let output =
        inside(&IMAGE.rootfs()).arg("--version").env_clear().env("PATH", "/usr/sbin:/usr/bin").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.starts_with("invitation-operator "), "{said}{output:?}");
}

/// An image's root with what a pod would mount into it, and the identity that its certificates vouch for.
static MOUNTED: OnceCell<(Image, TlsIdentity)> = OnceCell::const_new();

/// Each operator has its own view of mounts, so that none is left behind; its process stays the one that was started.
const MOUNTED_INSIDE: &str = r#"mount=$1 rootfs=$2; shift 2
mount --bind -o ro "$mount" "$rootfs$mount" && exec chroot --userspec=65532:65532 "$rootfs" /invitation-operator "$@""#;

/// From now on the harness starts the operator in that root.
async fn mounted() -> &'static TlsIdentity {
    let (_, identity) = MOUNTED
        .get_or_init(|| async {
            names::serve().await;
            let image = Image::open(Path::new(&std::env::var_os("IMAGE").unwrap()));
            let rootfs = image.rootfs();
            let (authority, identity) = identity(&format!("atlas.{}", names::DOMAIN));
            // Credentials are mounted in a Pod, too.
            let mount = shared().await.control.folder();
            std::fs::create_dir_all(rootfs.join(mount.strip_prefix("/").unwrap())).unwrap();
            allow(mount, 0o755);
            allow(rootfs.parent().unwrap(), 0o755);
            std::fs::write(rootfs.join("etc/resolv.conf"), format!("nameserver {}\n", names::ADDRESS)).unwrap();
            let bundle = rootfs.join("etc/ssl/certs/ca-certificates.crt");
            allow(&bundle, 0o644);
            let mut bundle = File::options().append(true).open(bundle).unwrap();
            bundle.write_all(authority.as_bytes()).unwrap();
            let program = ["unshare", "--mount", "sh", "-c", MOUNTED_INSIDE, "sh"].map(OsString::from);
            let program = program.into_iter().chain([mount.as_os_str().to_owned(), rootfs.into_os_string()]);
            operator::PROGRAM.set(program.collect()).expect("the first to start the operator");
            (image, identity)
        })
        .await;
    identity
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// An authority, and an identity that it vouches for.
fn identity(name: &str) -> (String, TlsIdentity) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (authority, TlsIdentity { certificate_pem: leaf.pem(), key_pem: key.serialize_pem() })
}

async fn the_operator_in_it_invites_and_ends_when_told() {
    mounted().await;
    let mut world = World::start().await;
    let (account, invited) = world.invited().await;
    assert!(ready("True", Reason::Invited)(&invited));
    assert!(world.sim.accept(&account.project, JANE));
    world.until("jane", "accepted", in_phase(Phase::Accepted)).await;
    let operator = world.operator.as_mut().unwrap();
    for page in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(operator.page(page).await.unwrap().0, 200, "{page}");
    }
    operator.terminate();
    assert!(operator.ended().await.success(), "told to end, it ends in order");
    assert_eq!(world.mails(JANE), 1);
}

/// Nothing but what a kubelet gives: two variables, and the files of the service account.
async fn the_operator_in_it_finds_its_api_server_as_in_a_pod() {
    mounted().await;
    let mut world = Setup::default().without_operator().start().await;
    let server = Url::parse(shared().await.control.server_url()).unwrap();
    let port = server.port().unwrap().to_string();
    let host = ("KUBERNETES_SERVICE_HOST", server.host_str().unwrap());
    // A proxy for the way to MongoDB is none for the way to the API server.
    let proxy = [("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "127.0.0.1")];
    let variables = [host, ("KUBERNETES_SERVICE_PORT", &port), proxy[0], proxy[1]];
    let kubeconfig = world.without_kubeconfig(&variables);
    let kubeconfig: Value = serde_json::from_slice(&std::fs::read(kubeconfig).unwrap()).unwrap();
    let (image, _) = MOUNTED.get().unwrap();
    let account = image.rootfs().join("var/run/secrets/kubernetes.io/serviceaccount");
    std::fs::create_dir_all(&account).unwrap();
    let token = kubeconfig.pointer("/users/0/user/tokenFile").and_then(Value::as_str).unwrap();
    std::fs::copy(token, account.join("token")).unwrap();
    let authority =
        kubeconfig.pointer("/clusters/0/cluster/certificate-authority-data").and_then(Value::as_str).unwrap();
    std::fs::write(account.join("ca.crt"), BASE64_STANDARD.decode(authority).unwrap()).unwrap();
    std::fs::write(account.join("namespace"), &world.operator_namespace).unwrap();
    world.start_operator();
    let (_, invited) = world.invited().await;
    assert!(ready("True", Reason::Invited)(&invited));
    world.operator.take();
    std::fs::remove_dir_all(image.rootfs().join("var")).unwrap();
}

async fn the_operator_in_it_resolves_names_and_trusts_the_certificates_of_the_image() {
    let identity = mounted().await;
    let sim = Simulator::start(Options { tls: Some(identity.clone()), ..Options::default() }).await.unwrap();
    let port = sim.address().port();
    let host = format!("atlas.{}:{port}", names::DOMAIN);
    let stranger = format!("other.{}:{port}", names::DOMAIN);
    let world = Setup::default().flag("--allowed-hosts", &format!("{host},{stranger},nobody.test")).start().await;
    let project = sim.seed_project(ProjectSeed::new(atlas_sim::Product::Atlas, "payments"));
    let key = sim.seed_credential(CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]));
    world.secret("key", &key).await;
    for (name, at) in [("known", host.as_str()), ("stranger", &stranger), ("nobody", "nobody.test")] {
        world.inviter(name, "key", |spec| spec.base_url = Some(format!("https://{at}"))).await;
    }
    world.until_inviter("known", Reason::Ready).await;
    // The same server under a name that its certificate does not have, and a name that does not exist.
    world.until_inviter("stranger", Reason::TlsFailed).await;
    world.until_inviter("nobody", Reason::Unreachable).await;
}
