package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrRefused reports that the guard refused an address or a kind of network.
// Trying again does not help: the configuration has to change.
var ErrRefused = errors.New("refused by the address guard")

// refusal is ErrRefused for one address, with the remedy.
type refusal struct{ addr netip.Addr }

func (r *refusal) Error() string {
	return fmt.Sprintf("address %s is private: allow it with outbound.allow_private", r.addr)
}

func (r *refusal) Unwrap() error { return ErrRefused }

// guard decides which addresses may be connected to: the public ones (outside
// of IANA's special-purpose registries) and those that were allowed.
type guard struct{ rules *ssrf.Guardian }

func newGuard(allow []netip.Prefix) *guard {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		switch p = unmapPrefix(p); {
		case !p.IsValid():
		case p.Addr().Is4():
			v4 = append(v4, p)
		default:
			v6 = append(v6, p)
		}
	}
	return &guard{rules: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))}
}

// unmapPrefix turns ::ffff:10.0.0.0/104 into 10.0.0.0/8: addresses are checked
// in their IPv4 form.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	const mapped = 96
	if p.IsValid() && p.Addr().Is4In6() && p.Bits() >= mapped {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p
}

// control is net.Dialer's hook between the making of a socket and connect.
func (g *guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("network %q: %w", network, ErrRefused)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("an address that is none: %w", ErrRefused)
	}
	return g.check(target.Addr())
}

// check refuses what is not public and not allowed. An IPv4 address that is
// written as IPv6 is judged as IPv4. An address of the NAT64 prefix, which
// only an allowed prefix lets through, must be allowed as the IPv4 address
// that it carries, too (RFC 6052, section 2.2).
func (g *guard) check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	if err := g.rules.SafeAddr(addr); err != nil || !addr.IsValid() {
		return &refusal{addr}
	}
	if ssrf.IPv6NAT64Prefix.Contains(addr) {
		b := addr.As16()
		if g.rules.SafeAddr(netip.AddrFrom4([4]byte(b[12:]))) != nil {
			return &refusal{addr}
		}
	}
	return nil
}
