//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address belongs to the public internet: not to this machine, a private network, a link, or nobody.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, and carriers' shared addresses.
        (0, ..) | (100, 64..=127, _) => true,
        // Assignments for protocols, and benchmarks.
        (192, 0, 0) | (198, 18..=19, _) => true,
        // Reserved.
        (240..=255, ..) => true,
        _ => false,
    };
    !(special
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let special = match address.segments() {
        // This machine, and nobody.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => true,
        // IPv4 addresses: mapped, compatible, by NAT64 and by 6to4.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => !is_public_v4(v4(high, low)),
        // Teredo: its server and, inverted, its client.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            !is_public_v4(v4(server_high, server_low)) || !is_public_v4(v4(!high, !low))
        }
        // NAT64 within a network, which alone knows where the IPv4 address is in it.
        [0x64, 0xff9b, 1, ..] => true,
        // Discarded, benchmarks, documentation, and segment routing.
        [0x100, 0, 0, 0, ..] | [0x2001, 2, 0, ..] | [0x2001, 0xdb8, ..] | [0x3fff, ..] | [0x5f00, ..] => true,
        // Unique local, link-local, the former site-local, and multicast.
        [first, ..] => {
            first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || first & 0xffc0 == 0xfec0
                || address.is_multicast()
        }
    };
    !special
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_globally_reachable_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::",
            // Server 65.54.227.120, client 1.1.1.1.
            "2001:0:4136:e378:8000:63bf:fefe:fefe",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "64:ff9b:1::7f00:1",
            "64:ff9b:1:7f00:0:100::",
            "64:ff9b:1:fffe::a01:203",
            // Client 127.0.0.1, then 192.168.1.1; server 10.0.0.1.
            "2001:0:4136:e378:8000:63bf:80ff:fffe",
            "2001:0:4136:e378:8000:63bf:3f57:fefe",
            "2001:0:a00:1:8000:63bf:fefe:fefe",
            "100::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }
}
