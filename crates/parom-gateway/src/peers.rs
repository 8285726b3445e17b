//! Who is at the other end of a connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// Nobody that is known: it is no address of this machine, and all such clients count as one.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The client behind trusted proxies: the last address in `X-Forwarded-For` that is not one of them. What stands before it is
/// the client's own word; where a proxy wrote what is no address, nobody knows the client. Where all are trusted, the first.
pub(crate) fn client(trusted: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    let is_proxy = |address: &IpAddr| trusted.iter().any(|proxy| proxy.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    let lines: Vec<&http::HeaderValue> = headers.get_all("x-forwarded-for").iter().collect();
    let (mut first, mut foreign) = (peer, !peer.is_loopback());
    for line in lines.into_iter().rev() {
        let Ok(line) = line.to_str() else { return NOBODY };
        for hop in line.rsplit(',') {
            match address(hop.trim()) {
                Some(address) if is_proxy(&address) => {
                    (first, foreign) = (address, foreign || !address.is_loopback());
                }
                Some(address) => return address,
                None => return NOBODY,
            }
        }
    }
    // All are of trusted networks, whose machines may write what they like: but none is this one by another's word.
    if foreign && first.is_loopback() { NOBODY } else { first }
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let alone = hop.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let address: IpAddr = alone.or_else(|| hop.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))?;
    Some(address.to_canonical())
}

/// What one party is likely to have for itself: an IPv4 address, or an IPv6 network of /64.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::client;

    #[test]
    fn a_client_cannot_say_who_it_is() {
        let trusted = ["127.0.0.1/32".parse().unwrap(), "10.0.0.0/30".parse().unwrap()];
        for (peer, lines, expected) in [
            // Nobody's proxy: its word is nothing.
            ("8.8.8.8", &["127.0.0.1"][..], "8.8.8.8"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["8.8.8.8"], "8.8.8.8"),
            ("::ffff:127.0.0.1", &["8.8.8.8"], "8.8.8.8"),
            // The client wrote the first, the proxy the last.
            ("127.0.0.1", &["127.0.0.1, 8.8.8.8"], "8.8.8.8"),
            ("127.0.0.1", &["1.1.1.1, 8.8.8.8, 10.0.0.2"], "8.8.8.8"),
            ("127.0.0.1", &["1.1.1.1", "8.8.8.8"], "8.8.8.8"),
            ("10.0.0.3", &["1.1.1.1, 10.0.0.4, 10.0.0.1"], "10.0.0.4"),
            // A client of a trusted network is itself, and not this machine.
            ("127.0.0.1", &["10.0.0.1"], "10.0.0.1"),
            ("10.0.0.1", &["127.0.0.1"], "0.0.0.0"),
            ("127.0.0.1", &["127.0.0.1"], "127.0.0.1"),
            ("127.0.0.1", &["127.0.0.1, 10.0.0.1"], "0.0.0.0"),
            ("127.0.0.1", &["8.8.8.8:4711"], "8.8.8.8"),
            ("127.0.0.1", &["[2a00::1]:4711"], "2a00::1"),
            ("127.0.0.1", &["[2a00::1]"], "2a00::1"),
            ("127.0.0.1", &["::ffff:8.8.8.8"], "8.8.8.8"),
            // What is no address hides what stands before it.
            ("127.0.0.1", &["127.0.0.1, unknown"], "0.0.0.0"),
            ("127.0.0.1", &["1.1.1.1, _hidden"], "0.0.0.0"),
            ("127.0.0.1", &["127.0.0.1,"], "0.0.0.0"),
            ("127.0.0.1", &[""], "0.0.0.0"),
        ] {
            let mut headers = http::HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let found = client(&trusted, peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), expected, "{peer} {lines:?}");
        }
    }
}
