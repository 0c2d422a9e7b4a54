// Package all is the one list of the kinds of connectors that come with
// hookgate. To add one: a folder with its code and a line here, or a recipe in
// connectors/recipes.
package all

import (
	"hookgate/connectors"
	"hookgate/connectors/broker"
	"hookgate/connectors/email"
	"hookgate/connectors/logline"
	"hookgate/connectors/recipes"
	"hookgate/connectors/slack"
	"hookgate/connectors/webhook"
)

// builtin are the kinds that are written in Go.
func builtin() []connectors.Kind {
	return []connectors.Kind{broker.AMQP(), broker.Kafka(), broker.NATS(), email.Kind(), logline.Kind(), slack.Kind(), webhook.Kind()}
}

// Catalog has own, a configuration's recipes, beside the kinds that come with
// hookgate.
func Catalog(own ...connectors.Kind) *connectors.Catalog {
	return connectors.NewCatalog(append(builtin(), own...), recipes.Kinds())
}

// Kinds are all kinds that come with hookgate, by name. It compiles all
// recipes: who needs a few kinds takes them from a Catalog.
func Kinds() []connectors.Kind { return Catalog().All() }
