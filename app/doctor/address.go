package doctor

import (
	"cmp"
	"net"
	"net/url"
	"slices"

	"hookgate/internal/yamlnode"
)

// ports are those of URLs that name none.
var ports = map[string]string{
	"https": "443", "http": "80", "nats": "4222", "tls": "4222", "amqp": "5672", "amqps": "5671",
}

// addresses are the receivers that the settings of a connection name, as
// host:port: those of URLs, of a mail server and of brokers. Those that a recipe
// has in itself are not among them.
func addresses(settings yamlnode.Node) []string {
	var list addressList
	list.walk(settings, "")
	if smtp := settings.Get("smtp"); !smtp.IsZero() {
		usual := map[string]string{"tls": "465", "none": "25"}[smtp.Get("tls").Text().Value]
		list.add(smtp.Get("host").Text().Value, cmp.Or(smtp.Get("port").Text().Value, usual, "587"))
	}
	return list
}

// addressList are addresses, each once.
type addressList []string

func (l *addressList) add(host, port string) {
	if address := net.JoinHostPort(host, port); host != "" && port != "" && !slices.Contains(*l, address) {
		*l = append(*l, address)
	}
}

// walk adds what a setting and those below it name; key is its own.
func (l *addressList) walk(n yamlnode.Node, key string) {
	for _, f := range n.Fields() {
		l.walk(f.Value, f.Key.Value)
	}
	for _, item := range n.Items() {
		l.walk(item, key)
	}
	if n.Kind() != yamlnode.Scalar {
		return
	}
	text := n.Text().Value
	if u, err := url.Parse(text); err == nil && ports[u.Scheme] != "" && u.Host != "" {
		l.add(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme]))
		return
	}
	if host, port, err := net.SplitHostPort(text); err == nil && key == "brokers" {
		l.add(host, port)
	}
}
