//! Which addresses a message may be sent to. An address in a setting must not become a way into the network that the gateway
//! stands in: only what is public is reached, and what the operator lists.
//!
//! A name is resolved once, each address that it has is looked at, and the connection goes to one that passed: a name server
//! that answers another time with another address changes nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};

/// One message, whole.
const PATIENCE: Duration = Duration::from_secs(20);

/// Networks that are nobody's public address.
const PRIVATE_V4: [([u8; 4], u8, &str); 16] = [
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "a private network"),
    ([100, 64, 0, 0], 10, "a provider's inner network"),
    ([127, 0, 0, 0], 8, "this machine"),
    ([169, 254, 0, 0], 16, "the link's own network"),
    ([172, 16, 0, 0], 12, "a private network"),
    ([192, 0, 0, 0], 24, "a reserved network"),
    ([192, 0, 2, 0], 24, "a network of examples"),
    ([192, 31, 196, 0], 24, "a reserved network"),
    ([192, 52, 193, 0], 24, "a reserved network"),
    ([192, 88, 99, 0], 24, "a reserved network"),
    ([192, 168, 0, 0], 16, "a private network"),
    ([198, 18, 0, 0], 15, "a network of measurements"),
    ([198, 51, 100, 0], 24, "a network of examples"),
    ([203, 0, 113, 0], 24, "a network of examples"),
    // Multicast, reserved and broadcast.
    ([224, 0, 0, 0], 3, "no single machine"),
];
/// Parts of the public IPv6 space that lead elsewhere: tunnels, which carry an IPv4 address, and examples.
const PRIVATE_V6: [([u16; 2], u8, &str); 4] = [
    ([0x2001, 0], 23, "a tunnel or a reserved network"),
    ([0x2001, 0xdb8], 32, "a network of examples"),
    ([0x2002, 0], 16, "a tunnel"),
    ([0x3fff, 0], 20, "a network of examples"),
];

/// Why an address is not public, in words; none: it is.
#[must_use]
pub fn private(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let number = u32::from(address);
            let found = PRIVATE_V4
                .iter()
                .find(|(network, bits, _)| same_v4(u32::from(Ipv4Addr::from(*network)), number, *bits));
            found.map(|(.., why)| *why)
        }
        IpAddr::V6(address) => {
            let number = u128::from(address);
            // Only 2000::/3 is given out: loopback, ULA, link-local, NAT64, IPv4-compatible and multicast are all outside.
            if number >> 125 != 1 {
                return Some(if address.is_loopback() { "this machine" } else { "not a public network" });
            }
            let network = |start: [u16; 2]| u128::from(Ipv6Addr::new(start[0], start[1], 0, 0, 0, 0, 0, 0));
            let found = PRIVATE_V6.iter().find(|(start, bits, _)| same_v6(network(*start), number, *bits));
            found.map(|(.., why)| *why)
        }
    }
}

fn same_v4(a: u32, b: u32, bits: u8) -> bool {
    (a ^ b).checked_shr(32 - u32::from(bits.min(32))).unwrap_or(0) == 0
}

fn same_v6(a: u128, b: u128, bits: u8) -> bool {
    (a ^ b).checked_shr(128 - u32::from(bits.min(128))).unwrap_or(0) == 0
}

/// A network: an address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(whole), |bits| bits.parse().ok().filter(|bits| *bits <= whole))?;
        Some(Network { address, bits })
    }

    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same_v4(own.into(), other.into(), self.bits),
            (IpAddr::V6(own), IpAddr::V6(other)) => same_v6(own.into(), other.into(), self.bits),
            _ => false,
        }
    }
}

/// What may be reached beside public addresses.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    allowed: Vec<Network>,
}

impl Reach {
    /// With these addresses (`127.0.0.1`) and networks (`10.0.0.0/8`) allowed.
    ///
    /// # Errors
    /// What is neither, in words.
    pub fn new(allowed: &[String]) -> Result<Reach, String> {
        let network = |text: &String| {
            Network::parse(text)
                .ok_or_else(|| format!("`{text}` is no address or network; write 127.0.0.1 or 10.0.0.0/8"))
        };
        Ok(Reach { allowed: allowed.iter().map(network).collect::<Result<_, _>>()? })
    }

    /// Whether an address may be reached; if not, what it is.
    ///
    /// # Errors
    /// What the address is, in words.
    pub fn may(&self, address: IpAddr) -> Result<(), &'static str> {
        match private(address) {
            Some(why) if !self.allowed.iter().any(|network| network.has(address)) => Err(why),
            _ => Ok(()),
        }
    }

    /// Whether a URL may be asked for, as far as it says: by https or http, and where its host is a number, by that. A name is
    /// looked at when it is resolved.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn may_ask(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "https" | "http") {
            return Err(format!("{}: is not asked for", url.scheme()));
        }
        // The parser has brought every spelling of a number (0x7f.1, 2130706433, 017700000001) into its plain form.
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => self.may(address).map_err(|why| forbidden(address, why)),
            Err(_) => Ok(()),
        }
    }

    /// A client that reaches no more than this, by the machine's own resolver.
    ///
    /// # Errors
    /// A system without TLS roots, in words.
    pub fn client(&self) -> Result<Caller, String> {
        self.client_by(Arc::new(|name| {
            async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) }.boxed()
        }))
    }

    /// The same by another resolver.
    ///
    /// # Errors
    /// As [`Reach::client`].
    pub fn client_by(&self, lookup: Lookup) -> Result<Caller, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let resolver = Checked { reach: self.clone(), lookup };
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(PATIENCE)
            .dns_resolver(resolver)
            .build();
        let client = client.map_err(|error| error.without_url().to_string())?;
        Ok(Caller { reach: self.clone(), client })
    }
}

fn forbidden(address: IpAddr, why: &str) -> String {
    format!("{address} is {why}; list it in alerts.allow if it is to be reached")
}

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Posts to what may be reached. No proxy of the environment, no redirect, no second try.
pub struct Caller {
    reach: Reach,
    client: Client,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Caller {
    /// A POST to an address.
    ///
    /// # Errors
    /// An address that may not be asked for, in words that do not repeat it: it may hold a token.
    pub fn post(&self, address: &str) -> Result<RequestBuilder, String> {
        let url = Url::parse(address).map_err(|_| "the address cannot be read".to_owned())?;
        self.reach.may_ask(&url)?;
        Ok(self.client.post(url))
    }
}

struct Checked {
    reach: Reach,
    lookup: Lookup,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, found) = (self.reach.clone(), (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let mut refused = "the name has no address".to_owned();
            let mut passed = Vec::new();
            for address in found.await? {
                match reach.may(address) {
                    Ok(()) => passed.push(SocketAddr::new(address, 0)),
                    Err(why) => refused = forbidden(address, why),
                }
            }
            if passed.is_empty() {
                return Err(refused.into());
            }
            let passed: Addrs = Box::new(passed.into_iter());
            Ok(passed)
        })
    }
}

/// An error's chain in a line, without the address: a token may stand in it.
#[must_use]
pub fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
