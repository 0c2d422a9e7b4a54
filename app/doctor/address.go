package doctor

import (
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
	var list []string
	add := func(host, port string) {
		if address := net.JoinHostPort(host, port); host != "" && port != "" && !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	var walk func(n yamlnode.Node, key string)
	walk = func(n yamlnode.Node, key string) {
		for _, f := range n.Fields() {
			walk(f.Value, f.Key.Value)
		}
		for _, item := range n.Items() {
			walk(item, key)
		}
		if n.Kind() != yamlnode.Scalar {
			return
		}
		text := n.Text().Value
		if u, err := url.Parse(text); err == nil && ports[u.Scheme] != "" && u.Host != "" {
			port := u.Port()
			if port == "" {
				port = ports[u.Scheme]
			}
			add(u.Hostname(), port)
			return
		}
		if host, port, err := net.SplitHostPort(text); err == nil && key == "brokers" {
			add(host, port)
		}
	}
	walk(settings, "")
	if smtp := settings.Get("smtp"); !smtp.IsZero() {
		port := smtp.Get("port").Text().Value
		if port == "" {
			port = map[string]string{"tls": "465", "none": "25"}[smtp.Get("tls").Text().Value]
		}
		if port == "" {
			port = "587"
		}
		add(smtp.Get("host").Text().Value, port)
	}
	return list
}
