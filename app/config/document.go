// Package config reads config.yaml: strictly, with the environment's values
// put in, and with every fault at once, each with its place in the file. It is
// the only package that looks at the process's environment.
package config

import (
	"net/netip"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// Config is a whole config.yaml and what it includes, with the defaults of its fields' tags where it
// says nothing. What
// a source, a form or a connection holds beyond the keys here is decoded by
// the package that it belongs to, from its Node.
type Config struct {
	// Path is the file that it was read from; Hash names its content, and that
	// of the files that it includes, its recipes, tables and holidays, in seven
	// hexadecimal digits.
	Path, Hash string

	// Included are the paths of the files that it includes, in their order.
	Included []string

	Server      Server
	Storage     Storage
	Retention   Retention
	Outbound    Outbound
	Sources     []Entry // in the file's order, as all that follow
	Forms       []Entry
	Connections []Connection
	Calendars   []Calendar
	Recipes     []RecipeFile // those that could be read
	Unread      int          // recipes that are named and could not be read
	Tables      []Table
	Rules       []rules.Rule
	// Tests is the section as it is.
	Tests yamlnode.Node
	// RuleText is what Rules were decoded from.
	RuleText RuleText

	parts [][]byte // the files of tables and holidays
}

// Entry is a named part of the document that another package decodes.
type Entry struct {
	Name yamlnode.Text
	Node yamlnode.Node
}

// Server says how hookgate is reached.
type Server struct {
	// Listen is host:port.
	Listen string `yaml:"listen" doc:"Where to listen, as host:port; without a host on all addresses." default:"127.0.0.1:8080"`
	// PublicURL is what senders call, without a slash at its end; "" unless set.
	PublicURL string `yaml:"public_url" doc:"What senders call: https:// and a host, with a path where a proxy adds one." example:"https://hooks.agency.example"`
	// Timezone is a name of the IANA database. Location is the same.
	Timezone string `yaml:"timezone" doc:"The zone that event.time is written in: a name of the IANA database." default:"UTC" example:"Europe/Berlin"`
	Location *time.Location
	// Lang is a language that package locale knows.
	Lang string `yaml:"lang" doc:"The language that the functions of rules write numbers, money and dates in, and read numbers in, unless they are told another." default:"en" example:"de"`
	// TrustedProxies may say in X-Forwarded-For whom they speak for.
	TrustedProxies Prefixes `yaml:"trusted_proxies" doc:"Networks or addresses whose X-Forwarded-For is believed." example:"[127.0.0.1]"`
	// Admin is nil where there is neither UI nor API.
	Admin *Admin `yaml:"admin" doc:"Who may use the administration API and the pages. Without it there is only the socket on this machine."`
	// MaxBody is the largest body of a request.
	MaxBody yamlnode.Size `yaml:"max_body" doc:"The largest body of a request." default:"10MB" min:"1KB" max:"100MB"`
}

// KeyHint helps those who think of host and port apart.
func (Server) KeyHint(key string) string {
	switch key {
	case "host", "port", "address", "bind", "addr":
		return `write listen: host:port, such as 127.0.0.1:8080`
	case "url", "base_url", "domain":
		return `did you mean "public_url"?`
	}
	return ""
}

// Storage says where the data is kept.
type Storage struct {
	// Node is the section as it is.
	Node yamlnode.Node
	// Path of the SQLite file.
	// A relative path starts at the config file's folder. "" where URL is set.
	Path string `yaml:"path" doc:"The SQLite file. A relative path starts at the folder of this file." default:"hookgate.db"`
	// URL of the PostgreSQL database that is used in place of a file.
	URL event.Secret `yaml:"url" doc:"A PostgreSQL database in place of the file, shared by all replicas." example:"${DATABASE_URL}"`
	// Lease is how long a replica that is heard no more keeps what it claimed:
	// longer than a slow commit takes, and short enough that deliveries of a dead
	// replica do not seem lost. It goes with URL.
	Lease time.Duration `yaml:"lease" doc:"With url: how long a silent replica keeps what it was about to send." default:"30s" min:"5s" max:"10m"`
	// Files is the folder for the files of form posts: beside the SQLite file,
	// under its name with .files behind it, unless set; "" where URL is set and
	// Files is not. A relative path starts at the config file's folder.
	Files string `yaml:"files" doc:"The folder for the files of form posts, beside the SQLite file unless set; with url all replicas must share it." example:"/var/lib/hookgate/files"`
}

// Retention says how long what is kept is kept. What is undelivered stays.
type Retention struct {
	Events      time.Duration `yaml:"events" doc:"How long events of sources are kept, with their deliveries. What is not delivered yet stays." default:"90d" min:"1h"`
	Submissions time.Duration `yaml:"submissions" doc:"How long events of forms are kept." default:"365d" min:"1h"`
	Spam        time.Duration `yaml:"spam" doc:"How long form posts that were taken for spam are kept." default:"14d" min:"1h"`
	Files       time.Duration `yaml:"files" doc:"How long the files of form posts are kept." default:"180d" min:"1h"`
}

// Outbound says where deliveries may go.
type Outbound struct {
	// AllowPrivate are the private networks that connections may reach; none
	// unless set.
	AllowPrivate Prefixes `yaml:"allow_private" doc:"Private networks or addresses that connections may reach. All others are refused, whatever a name resolves to." example:"[10.1.0.0/16]"`
}

// Prefixes is a list of networks, each written as 10.1.0.0/16 or as one address.
type Prefixes []netip.Prefix

// Connection is a configured connector. Node is the whole of it, with the
// keys that are decoded here.
type Connection struct {
	Name yamlnode.Text
	// Type names its connector; not there (IsZero) where the file lacks it,
	// which is an error already.
	Type yamlnode.Text `yaml:"type,required" doc:"What kind of tool it is."`
	// Timeout of one attempt.
	Timeout time.Duration `yaml:"timeout" doc:"Of one attempt." default:"15s" above:"0" max:"10m"`
	// Concurrency is how many attempts run at once.
	Concurrency int `yaml:"concurrency" doc:"How many attempts run at once." default:"8" min:"1" max:"1000"`
	// RateLimit of attempts; its Count is 0 where there is none.
	RateLimit yamlnode.Rate `yaml:"rate_limit" doc:"How many attempts start in a time." example:"5/s"`
	Retry     Retry         `yaml:"retry" doc:"For how long, or at what distances, a failed attempt is repeated." example:"{ for: 48h }"`
	// OnlyDuring names the calendar outside of which no attempt begins.
	OnlyDuring yamlnode.Text    `yaml:"only_during" doc:"A calendar: outside of its hours no attempt begins, and what is due is held." example:"office"`
	Settings   []yamlnode.Field `yaml:",rest"` // the other keys
	Node       yamlnode.Node
}

// Noun is what messages call it.
func (Connection) Noun() string { return "a connection" }

// Retry says how long, or at what distances, failed attempts are repeated.
// With neither, the published schedule holds.
type Retry struct {
	// For is how long after its creation a delivery is tried at the most; 0
	// where the file does not say.
	For time.Duration `yaml:"for" doc:"How long after the event attempts go on in the usual delays." example:"48h" above:"0" max:"30d" hint:"to retry nothing, write delays: []"`
	// Delays are the waits before the second attempt, the third and so on. nil
	// where the file does not say; empty where nothing is to be repeated.
	Delays []time.Duration `yaml:"delays" doc:"The waits before the second attempt, the third and so on, at most 100. An empty list retries nothing." default:"[5s, 5m, 30m, 2h, 5h, 10h, 10h]" max:"30d"`
}

// Noun is what messages call it.
func (Retry) Noun() string { return "retry" }

// commonKeys are the keys that every connection has, whatever its type.
func commonKeys() []string {
	var keys []string
	for _, f := range yamlnode.Describe[Connection]().Fields {
		keys = append(keys, f.Name)
	}
	return keys
}

// defaults is the configuration of a file that says nothing.
func defaults() *Config {
	doc := &Config{}
	yamlnode.Defaults(&doc.Server)
	yamlnode.Defaults(&doc.Storage)
	yamlnode.Defaults(&doc.Retention)
	return doc
}

func defaultConnection(e Entry) Connection {
	c := Connection{Name: e.Name, Node: e.Node}
	yamlnode.Defaults(&c)
	return c
}
