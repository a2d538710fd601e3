//! Keys and certificates of one control plane.
//!
//! Owns: an authority of its own, the serving certificate, one client
//! certificate for the administrator and one for the controller manager, and
//! the key that signs the tokens of service accounts.
//!
//! Must never: outlive the folder of the plane, or be shown in a message.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::error::Error;

pub(crate) const AUTHORITY: &str = "ca.crt";
pub(crate) const SERVING_CERTIFICATE: &str = "apiserver.crt";
pub(crate) const SERVING_KEY: &str = "apiserver.key";
pub(crate) const TOKEN_SIGNING_KEY: &str = "service-account.key";
pub(crate) const TOKEN_CHECKING_KEY: &str = "service-account.pub";

/// The names under which the API server may be reached.
const SERVING_NAMES: &[&str] = &[
    "127.0.0.1",
    "localhost",
    "10.0.0.1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// What clients need; the rest lies in files that only the servers read.
pub(crate) struct Credentials {
    pub(crate) authority: String,
    pub(crate) admin: Client,
    pub(crate) controller_manager: Client,
}

/// A client certificate with its key, as PEM.
pub(crate) struct Client {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Credentials {
    /// Makes all of them and writes what the servers read into the folder.
    pub(crate) fn make(folder: &Path) -> Result<Self, Error> {
        let authority = authority()?;
        let (serving_certificate, serving_key) = serving(&authority)?;
        let tokens = KeyPair::generate()?;
        let files = [
            (AUTHORITY, authority.pem()),
            (SERVING_CERTIFICATE, serving_certificate),
            (SERVING_KEY, serving_key),
            (TOKEN_SIGNING_KEY, tokens.serialize_pem()),
            (TOKEN_CHECKING_KEY, tokens.public_key_pem()),
        ];
        for (name, text) in files {
            fs::write(folder.join(name), text).map_err(Error::os(format!("write {name}")))?;
        }
        Ok(Self {
            authority: authority.pem(),
            admin: client(&authority, "admin", Some("system:masters"))?,
            controller_manager: client(&authority, "system:kube-controller-manager", None)?,
        })
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let mut params = named("control-plane-authority", &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

fn serving(authority: &CertifiedIssuer<'_, KeyPair>) -> Result<(String, String), Error> {
    let params = named("kube-apiserver", SERVING_NAMES)?;
    signed(authority, params, ExtendedKeyUsagePurpose::ServerAuth)
}

fn client(authority: &CertifiedIssuer<'_, KeyPair>, user: &str, group: Option<&str>) -> Result<Client, Error> {
    let mut params = named(user, &[])?;
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    let (certificate, key) = signed(authority, params, ExtendedKeyUsagePurpose::ClientAuth)?;
    Ok(Client { certificate, key })
}

fn named(common_name: &str, alternatives: &[&str]) -> Result<CertificateParams, Error> {
    let alternatives: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(alternatives)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

fn signed(
    authority: &CertifiedIssuer<'_, KeyPair>,
    mut params: CertificateParams,
    purpose: ExtendedKeyUsagePurpose,
) -> Result<(String, String), Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
