package web

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// trusts reports whether ip is a proxy that may name others.
func (s *Settings) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// client is the address that a request comes from: the peer's, or what trusted
// proxies say, which is the right-most address of X-Forwarded-For that is no
// trusted proxy itself. What stands left of it is whatever the client claims.
func (s *Settings) client(ctx *fasthttp.RequestCtx) netip.Addr {
	ip := addressOf(ctx.RemoteAddr())
	if !s.trusts(ip) {
		return ip
	}
	values := ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor)
	for _, value := range slices.Backward(values) {
		for _, part := range slices.Backward(strings.Split(string(value), ",")) {
			next, ok := forwardedAddress(part)
			if !ok {
				return ip
			}
			if ip = next; !s.trusts(ip) {
				return ip
			}
		}
	}
	return ip
}

// forwardedAddress reads one element of X-Forwarded-For: an address, for which
// some proxies add the port.
func forwardedAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = withPort.Addr()
	}
	return ip.Unmap().WithZone(""), true
}

// base is the server's own URL up to the path, as the sender sees it.
func (s *Settings) base(ctx *fasthttp.RequestCtx) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	scheme := "http"
	if s.https(ctx) {
		scheme = "https"
	}
	return scheme + "://" + string(ctx.Request.Header.Host())
}

// warnOfProxy says once that visitors count as one, because a proxy of a private
// address that speaks for others is not trusted: the peer, or one behind it that
// a trusted peer names.
func (s *Server) warnOfProxy(ctx *fasthttp.RequestCtx, settings *Settings) {
	ip := settings.client(ctx)
	if !ip.IsPrivate() && !ip.IsLoopback() || settings.trusts(ip) || !speaksFor(ctx, ip) {
		return
	}
	if s.cfg.Untrusted != nil {
		s.cfg.Untrusted(ip)
	}
	s.proxied.Do(func() {
		s.cfg.Logger.Warn("a proxy is not trusted: all visitors behind it count as one, and share its rate limit",
			"proxy", ip.String(), "hint", "add its address to server.trusted_proxies")
	})
}

// speaksFor reports whether X-Forwarded-For has another address before that of
// ip, which is the peer's, or the right-most one that is not trusted.
func speaksFor(ctx *fasthttp.RequestCtx, ip netip.Addr) bool {
	values := ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor)
	if len(values) == 0 {
		return false
	}
	if addressOf(ctx.RemoteAddr()) == ip {
		return true
	}
	first, _, _ := strings.Cut(string(values[0]), ",")
	one, ok := forwardedAddress(first)
	return !ok || one != ip
}

// https reports that the client spoke https to a trusted proxy.
func (s *Settings) https(ctx *fasthttp.RequestCtx) bool {
	return s.trusts(addressOf(ctx.RemoteAddr())) && string(ctx.Request.Header.Peek(fasthttp.HeaderXForwardedProto)) == "https"
}
