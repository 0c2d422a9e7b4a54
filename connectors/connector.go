// Package connectors brings deliveries to where they go. A Kind is one kind of
// destination (`type:` in config.yaml). Each has a folder, or is a recipe; the
// one list of them is in connectors/all.
//
// Each kind keeps these promises, and the conformance test of connectors/all
// ranges over the list to hold it to them:
//
//   - An answer decides: 408, 409, 425, 429, 5xx and network errors are worth
//     another try, other failures are Permanent. A kind refines this by its
//     vendor's own words.
//   - Retry-After, in seconds or as a date, is passed on, at most 24 hours.
//   - An attempt ends after the connection's timeout, and at once when its
//     context ends. At most 64 KB of an answer are kept, and at most 1 MB read.
//   - No error and no answer that is returned holds a secret of the
//     connection's settings, not even where the receiver repeats it.
//   - Only addresses that the address guard allows are connected to.
package connectors

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// DefaultTimeout is how long one attempt may take where the connection sets
// no timeout of its own.
const DefaultTimeout = 15 * time.Second

// Connector sends to one connection. It is safe for concurrent use. One that
// keeps something open between attempts is an io.Closer, too; it can be used
// again after Close, as if it were new.
type Connector interface {
	// Deliver makes one attempt. The Receipt tells what was answered, also
	// beside an error. An error that is no *Error with Permanent set is worth
	// another try. When ctx was cancelled the error wraps context.Canceled.
	Deliver(ctx context.Context, d event.Delivery) (event.Receipt, error)
}

// Error is a failed attempt that says when, or that no, other try is due.
type Error struct {
	Err       error
	Permanent bool          // the same request can never succeed
	After     time.Duration // the receiver asks to wait at least this long; 0: it does not say
}

// Error is the message of the cause.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Permanent marks err as one that another try cannot mend.
func Permanent(err error) error { return &Error{Err: err, Permanent: true} }

// RetryAfter marks err as one to try again after d at the earliest; d is cut
// to 24 hours.
func RetryAfter(err error, d time.Duration) error {
	return &Error{Err: err, After: min(max(d, 0), maxRetryAfter)}
}

// IsPermanent reports whether err says that another try is of no use.
func IsPermanent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Permanent
}

// Deps is what a Connector needs from outside. Zero fields get a default.
type Deps struct {
	Egress  *egress.Client   // default: one that reaches public addresses only, and New does not warn of others
	Logger  *slog.Logger     // default: nothing is logged
	Now     func() time.Time // default: time.Now
	Version string           // for User-Agent; default: dev
	Timeout time.Duration    // of one attempt, the connection's own; default: DefaultTimeout
	Files   Files            // what visitors sent with forms; default: there are none
	Memory  Memory           // of this connection; default: one that ends with the Connector
}

// WithDefaults fills in what is not set.
func (d Deps) WithDefaults() Deps {
	if d.Egress == nil {
		d.Egress = egress.New(egress.Config{})
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Version == "" {
		d.Version = "dev"
	}
	if d.Timeout <= 0 {
		d.Timeout = DefaultTimeout
	}
	if d.Memory == nil {
		d.Memory = NewMemory()
	}
	if d.Files == nil {
		d.Files = noFiles{}
	}
	return d
}

// UserAgent is what requests call us.
func (d Deps) UserAgent() string { return "hookgate/" + d.Version }

// Kind is one kind of destination.
type Kind struct {
	Name   string      // as written in `type:`
	Doc    string      // one sentence for people
	Action lang.Action // what a rule's action to such a connection may hold
	// Settings are the keys of such a connection in config.yaml, beside those
	// that every connection has, in the order in which people read them. New
	// accepts these and no others.
	Settings []Setting
	// Actions describes what a rule's action can do, for kinds of which
	// Action.Inputs names actions rather than their inputs.
	Actions []ActionDoc
	// Test is what a test of any such connection does, as TestInfo says it; "" where
	// there is none, or where it follows from the settings.
	Test string
	// Link is the receiver's documentation, and Verified where the facts about
	// it come from; "" for kinds that docs/connectors.md describes.
	Link, Verified string
	// RateLimit is how often the receiver lets itself be called, for
	// connections that set none; Count is 0 where it is not known.
	RateLimit yamlnode.Rate
	// Example shows a connection and actions to it as parts of a config.yaml.
	Example string
	// Hash names the recipe of a user's own; "" for what comes with hookgate.
	Hash string
	// Narrow gives the Action for one connection, whose settings can forbid or
	// require keys; nil: Action fits every connection. Faults in the settings
	// are not its business, New reports them.
	Narrow func(settings yamlnode.Node) lang.Action
	// Reply is what a form's autoreply by such a connection may hold; without a
	// Noun, the kind cannot reply.
	Reply lang.Action
	// New makes the Connector of one connection from its mapping in
	// config.yaml. It connects to nothing. With an error in the list there is
	// no Connector.
	New func(settings yamlnode.Node, deps Deps) (Connector, diag.List)
}

// Setting is one key of a connection, for people, editors and the schema.
type Setting = yamlnode.Spec

// SettingsOf describes the settings of a kind by the struct that New decodes
// them into, so that no key can be accepted and not declared.
func SettingsOf[T any]() []Setting { return yamlnode.Describe[T]().Fields }

// ActionFor is what an action to the connection with these settings accepts.
func (k Kind) ActionFor(settings yamlnode.Node) lang.Action {
	if k.Narrow == nil {
		return k.Action
	}
	return k.Narrow(settings)
}

// CommonKeys are the keys of a connection that every kind has. They are
// decoded where connections are loaded; a kind only lets them pass.
func CommonKeys() []string {
	return []string{"type", "timeout", "concurrency", "rate_limit", "retry", "only_during"}
}

// writeExample writes the keys of an action, in the shortest form that it has.
func (a *ActionDoc) writeExample(b *strings.Builder) {
	const beside, inside = "        ", "          "
	indent := inside
	switch {
	case a.Direct:
		indent = beside
	case a.Shorthand != "":
		indent = beside
		for _, in := range a.Inputs {
			if in.Name == a.Shorthand {
				b.WriteString(beside + a.Name + ": " + sampleOf(&in.Setting) + "\n")
			}
		}
	default:
		b.WriteString(beside + a.Name + ":\n")
	}
	for _, in := range a.Inputs {
		if in.Example != "" && (in.Name != a.Shorthand || a.Direct) {
			b.WriteString(indent + in.Name + ": " + sampleOf(&in.Setting) + "\n")
		}
	}
}

// ActionDoc describes one action of a kind that has several, or names them.
type ActionDoc struct {
	Name, Doc string
	Shorthand string // the input that may stand in place of the inputs; "": none
	Direct    bool   // the inputs may stand without the action's name
	Inputs    []InputDoc
	Outputs   []string // what is read from the answer
}

// InputDoc describes one input of an action.
type InputDoc struct {
	Setting
	Max int // characters or items; 0: any number
}
