//! What is wrong with a TLS connection that was not made, in words for whoever runs the server or the CA bundle.
//!
//! Owns the reading of rustls's errors, by type. Must never weaken a check: there is no setting that trusts more.

use rustls::{CertificateError, Error as TlsError};
use std::error::Error;
use std::io;

/// The TLS problem in an error's chain, if there is one.
pub(super) fn problem(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(described(found));
        }
        // An I/O error shows the source of what it wraps, not what it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn described(error: &TlsError) -> String {
    if let TlsError::InvalidCertificate(problem) = error {
        return format!("the server's certificate {}", certificate(problem));
    }
    if let TlsError::AlertReceived(alert) = error {
        return format!("the server ended the TLS handshake ({alert:?})");
    }
    if let TlsError::InvalidMessage(_) = error {
        return "the server does not speak TLS on this port".to_owned();
    }
    "the TLS handshake failed".to_owned()
}

fn certificate(problem: &CertificateError) -> &'static str {
    if matches!(problem, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
        "has expired"
    } else if matches!(problem, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) {
        "is not valid yet"
    } else if matches!(problem, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) {
        "is for another name"
    } else if matches!(problem, CertificateError::UnknownIssuer) {
        "was issued by an authority that is not trusted: is caBundleRef needed?"
    } else if matches!(problem, CertificateError::BadSignature) {
        // An authority that was made anew under its old name looks like this.
        "does not have the signature of the authority it names: is caBundleRef out of date?"
    } else if matches!(problem, CertificateError::Revoked) {
        "has been revoked"
    } else {
        "is not valid"
    }
}
