//! The port of the API server.
//!
//! Owns: a bound socket that never listens. It keeps the port for the server,
//! which binds beside it (`--permit-port-sharing`), so nobody else can take
//! the port before the server starts, nor between its stop and its restart.
//!
//! Must never: listen, or be bound to anything but loopback.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

use crate::error::Error;

/// A port on loopback that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl ReservedPort {
    pub(crate) fn reserve() -> Result<Self, Error> {
        let bind = || {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseport(true)?;
            socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            let address = socket.local_addr()?;
            Ok(Self { address, _socket: socket })
        };
        bind().map_err(Error::os("reserve a port on loopback"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
