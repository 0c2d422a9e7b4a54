package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/config"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// completeWithin is how long a shell waits for names; completeIDs is how many of
// the newest events or deliveries it is offered.
const (
	completeWithin = 2 * time.Second
	completeIDs    = 30
)

// named is what names, or ids, are of.
type named struct {
	ask  func(ctx context.Context, server *client.Client) ([]string, error)
	read func(doc *config.Config) []string // where no server answers; nil: there is nothing to read
}

// completions of arguments and flags: the running server's names, or those of
// the config where it does not answer.
var (
	ofConnections = named{
		func(ctx context.Context, server *client.Client) ([]string, error) {
			page, err := server.Connections(ctx)
			return eachOf(page.Items, func(c admin.Connection) string { return c.Name }), err
		},
		func(doc *config.Config) []string {
			return eachOf(doc.Connections, func(c config.Connection) string { return c.Name.Value })
		},
	}
	ofRules = named{
		func(ctx context.Context, server *client.Client) ([]string, error) {
			list, err := server.Rules(ctx)
			return eachOf(list.Items, func(r admin.Rule) string { return r.Name }), err
		},
		func(doc *config.Config) []string {
			var names []string
			for i := range doc.Rules {
				names = append(names, doc.Rules[i].Name.Value)
			}
			return names
		},
	}
	ofTables = named{
		func(ctx context.Context, server *client.Client) ([]string, error) {
			page, err := server.Tables(ctx)
			return eachOf(page.Items, func(t admin.Table) string { return t.Name }), err
		},
		func(doc *config.Config) []string {
			var names []string
			for _, t := range doc.Tables {
				if t.Fixed == nil {
					names = append(names, t.Name.Value)
				}
			}
			return names
		},
	}
	ofSources = named{
		answeredBy(func(in admin.Inbound) bool { return !in.Form }),
		func(doc *config.Config) []string { return eachOf(doc.Sources, entryName) },
	}
	ofForms = named{
		answeredBy(func(in admin.Inbound) bool { return in.Form }),
		func(doc *config.Config) []string { return eachOf(doc.Forms, entryName) },
	}
	ofOrigins = named{
		answeredBy(func(admin.Inbound) bool { return true }),
		func(doc *config.Config) []string {
			return eachOf(slices.Concat(doc.Sources, doc.Forms), entryName)
		},
	}
	ofEvents = named{ask: func(ctx context.Context, server *client.Client) ([]string, error) {
		page, err := server.Events(ctx, event.Search{Filter: event.Filter{Limit: completeIDs}})
		return eachOf(page.Items, func(e admin.Event) string { return e.ID.String() + "\t" + told(e.Source, e.Type, e.Summary) }), err
	}}
	ofDeliveries = named{ask: func(ctx context.Context, server *client.Client) ([]string, error) {
		page, err := server.Deliveries(ctx, event.DeliveryFilter{Limit: completeIDs})
		return eachOf(page.Items, func(d admin.Delivery) string { return d.ID.String() + "\t" + told(d.Name, string(d.State)) }), err
	}}
	ofViews = named{ask: func(ctx context.Context, server *client.Client) ([]string, error) {
		page, err := server.Views(ctx)
		return eachOf(page.Items, func(v admin.View) string { return v.Name + "\t" + told(v.Query) }), err
	}}
	ofDigests = named{ask: func(ctx context.Context, server *client.Client) ([]string, error) {
		page, err := server.Digests(ctx)
		return eachOf(page.Items, func(d admin.Digest) string { return d.ID.String() + "\t" + told(d.Action, d.Key) }), err
	}}
)

// answeredBy asks for the sources and forms of which want says yes.
func answeredBy(want func(admin.Inbound) bool) func(context.Context, *client.Client) ([]string, error) {
	return func(ctx context.Context, server *client.Client) ([]string, error) {
		page, err := server.Inbounds(ctx)
		list := slices.DeleteFunc(page.Items, func(in admin.Inbound) bool { return !want(in) })
		return eachOf(list, func(in admin.Inbound) string { return in.Name }), err
	}
}

func entryName(e config.Entry) string { return e.Name.Value }

func eachOf[T any](list []T, text func(T) string) []string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = text(list[i])
	}
	return texts
}

// told is what a shell shows beside an id, in one line.
func told(parts ...string) string {
	return term.Cut(strings.Join(strings.Fields(term.Clean(strings.Join(parts, " "))), " "), 60)
}

// completeNames gives commands and flags what their arguments can be.
func completeNames(s *session, root *cobra.Command) {
	arguments := map[string]named{
		"connections show": ofConnections, "connections test": ofConnections, "connections pause": ofConnections, "connections resume": ofConnections,
		"sources url": ofOrigins, "sources fields": ofSources,
		"forms fields": ofForms, "forms export": ofForms, "forms posts": ofForms, "forms files": ofForms, "forms snippet": ofForms,
		"tables get": ofTables, "tables set": ofTables, "tables delete": ofTables, "tables export": ofTables,
		"events show": ofEvents, "views delete": ofViews, "deliveries show": ofDeliveries,
		"digests show": ofDigests, "digests send": ofDigests, "digests cancel": ofDigests,
	}
	several := map[string]named{"replay": ofEvents, "forms notspam": ofEvents, "forms read": ofEvents, "forms delete": ofEvents, "deliveries retry": ofDeliveries, "deliveries cancel": ofDeliveries}
	withFiles := map[string]named{"explain": ofEvents, "events send": ofOrigins}
	flags := map[string]named{"connection": ofConnections, "rule": ofRules, "source": ofOrigins}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		path := strings.TrimPrefix(c.CommandPath(), root.Name()+" ")
		if of, found := arguments[path]; found {
			c.ValidArgsFunction = s.completes(of, 1, cobra.ShellCompDirectiveNoFileComp)
		}
		if of, found := several[path]; found {
			c.ValidArgsFunction = s.completes(of, 1000, cobra.ShellCompDirectiveNoFileComp)
		}
		if of, found := withFiles[path]; found {
			c.ValidArgsFunction = s.completes(of, 1, cobra.ShellCompDirectiveDefault)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if of, found := flags[f.Name]; found {
				_ = c.RegisterFlagCompletionFunc(f.Name, s.completes(of, 1000, cobra.ShellCompDirectiveNoFileComp))
			}
		})
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
}

// completes offers names for the first most arguments.
func (s *session) completes(of named, most int, directive cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, directive
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		if server, err := s.connect(); err == nil {
			if names, err := of.ask(ctx, server); err == nil {
				return names, directive
			}
		}
		path, err := s.findConfig()
		if err != nil || of.read == nil {
			return nil, directive
		}
		doc, _ := config.Load(path, s.env)
		if doc == nil {
			return nil, directive
		}
		return of.read(doc), directive
	}
}
