//! Private certification authorities, and certificates that must not be trusted.

use crate::harness::*;
use crate::server::{Reply, Server, Welcome};
use invitation_operator::api::Product;
use invitation_operator::cloud::{Connection, HttpApi, InvitesApi, NoCalls, Room};
use invitation_operator::domain::failure::{Failure, FailureKind};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_rustls::TlsAcceptor;

static COUNT: AtomicUsize = AtomicUsize::new(0);

struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        Self::named(&format!("Authority {}", COUNT.fetch_add(1, Ordering::SeqCst)))
    }

    fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn pem(&self) -> Vec<u8> {
        self.certificate.pem().into_bytes()
    }

    fn acceptor(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

async fn server(acceptor: TlsAcceptor) -> Server {
    let handler = with_digest(|request| match request.method.as_str() {
        "POST" => Reply::json(200, &invitation(ID, JANE)),
        _ => Reply::json(200, &json!([])),
    });
    Server::start_with(|_| Welcome::Serve, Some(acceptor), handler).await
}

fn over_tls(server: &Server, bundle: Option<Vec<u8>>) -> Connection {
    let mut connection = connection(Product::OpsManager, &format!("https://{}", server.address), api_key());
    connection.ca_bundle_pem = bundle;
    connection
}

/// Probes, and tries to create: neither may reach the API.
async fn untrusted(server: &Server, bundle: Option<Vec<u8>>) -> Failure {
    let caller = connect(over_tls(server, bundle), TestFence::open(5000));
    let created = caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap_err();
    assert!(created.kind.is_definite_no());
    let failure = caller.api.probe().await.unwrap_err();
    assert_eq!(server.seen().len(), 0);
    assert_eq!(failure.kind, FailureKind::TlsFailed, "{}", failure.message);
    failure
}

#[tokio::test]
async fn a_private_authority_in_the_bundle_is_trusted() {
    let authority = Authority::new();
    let server = server(authority.acceptor("127.0.0.1", |_| {})).await;
    let bundle = [Authority::new().pem(), authority.pem()].concat();
    let caller = connect(over_tls(&server, Some(bundle)), TestFence::open(5000));
    assert_eq!(caller.api.list(&project(), None).await, Ok(vec![]));
    caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap();
}

#[tokio::test]
async fn an_authority_that_is_not_in_the_bundle_is_not_trusted() {
    let server = server(Authority::new().acceptor("127.0.0.1", |_| {})).await;
    let failure = untrusted(&server, Some(Authority::new().pem())).await;
    assert!(failure.message.contains("caBundleRef"), "{}", failure.message);
}

#[tokio::test]
async fn an_authority_of_the_same_name_with_another_key_is_not_trusted() {
    let server = server(Authority::named("Example CA").acceptor("127.0.0.1", |_| {})).await;
    let failure = untrusted(&server, Some(Authority::named("Example CA").pem())).await;
    assert!(failure.message.contains("caBundleRef"), "{}", failure.message);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let authority = Authority::new();
    let server = server(authority.acceptor("opsmanager.example.com", |_| {})).await;
    let failure = untrusted(&server, Some(authority.pem())).await;
    assert!(failure.message.contains("another name"), "{}", failure.message);
}

#[tokio::test]
async fn an_expired_certificate_is_not_trusted() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let failure = untrusted(&server(acceptor).await, Some(authority.pem())).await;
    assert!(failure.message.contains("expired"), "{}", failure.message);
}

#[tokio::test]
async fn a_certificate_of_the_future_is_not_trusted() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2100, 1, 1);
        params.not_after = date_time_ymd(2101, 1, 1);
    });
    let failure = untrusted(&server(acceptor).await, Some(authority.pem())).await;
    assert!(failure.message.contains("not valid yet"), "{}", failure.message);
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_said_to() {
    let plain = Server::start_with(|_| Welcome::Serve, None, |_| Reply::empty(200)).await;
    let chatty = Server::start(|_| Reply::Then(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).await;
    for server in [plain, chatty] {
        let connection = over_tls(&server, Some(Authority::new().pem()));
        let mut connection = connection;
        connection.call_deadline = std::time::Duration::from_millis(300);
        let caller = connect(connection, TestFence::open(300));
        caller.api.probe().await.unwrap_err();
        let created = caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap_err();
        assert!(created.kind.is_definite_no(), "{created:?}");
    }
}

#[tokio::test]
async fn a_bundle_without_certificates_is_refused_by_name() {
    let authority = Authority::new();
    let server = server(authority.acceptor("127.0.0.1", |_| {})).await;
    for bundle in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let refused =
            HttpApi::new(over_tls(&server, Some(bundle.into())), TestFence::open(1), Arc::new(NoCalls)).unwrap_err();
        assert_eq!(refused.kind, FailureKind::TlsFailed);
    }
}

#[tokio::test]
async fn a_server_that_breaks_the_handshake_was_sent_nothing() {
    let server = Server::start_with(|_| Welcome::Slam, None, |_| Reply::empty(200)).await;
    let caller = connect(over_tls(&server, Some(Authority::new().pem())), TestFence::open(5000));
    let failure = caller.api.create(attempt(), Room::unlimited(), &project(), &jane(), &roles()).await.unwrap_err();
    assert!(failure.kind.is_definite_no(), "{failure:?}");
}
