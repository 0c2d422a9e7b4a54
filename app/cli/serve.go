package cli

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/internal/diag"
)

func newServe(s *session) *cobra.Command {
	var logFormat string
	c := &cobra.Command{
		Use: "serve", GroupID: groupStart, Short: "Run the server",
		Example: `  hookgate serve
  hookgate serve -c /etc/hookgate/config.yaml --log-format json`,
		Long: `Run the server until SIGINT or SIGTERM. It then stops accepting, finishes what
it is sending (25 seconds at most) and ends; a second signal ends it at once.
With PostgreSQL and server.trusted_proxies it first goes on for three seconds,
while /readyz says 503, so that a load balancer turns to the other replicas.
SIGHUP, a change of the config file and "hookgate reload" load the config again.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger, err := s.newLogger(logFormat)
			if err != nil {
				return err
			}
			return s.serve(cmd.Context(), logger)
		},
	}
	c.Flags().StringVar(&logFormat, "log-format", "auto", "`json`, text, or auto: text on a terminal")
	_ = c.RegisterFlagCompletionFunc("log-format",
		cobra.FixedCompletions([]cobra.Completion{"json", "text", "auto"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// collectAt is how much the heap may grow before it is collected, in percent.
// The heap is small (some 10 MB) and most of what is allocated lives for one
// request: Go's 100 would collect many times a second for nothing.
const collectAt = 200

// softLimit is from where on memory is collected more eagerly and given back,
// in bytes: many large bodies at once would otherwise leave three times what
// they needed behind. With the pages of the program and what SQLite has it is
// the ceiling that docs/reliability.md names.
const softLimit = 160 << 20

// tuneMemory sets collectAt and softLimit, unless GOGC and GOMEMLIMIT in the
// environment say otherwise.
func tuneMemory() {
	if before := debug.SetGCPercent(collectAt); before != 100 {
		debug.SetGCPercent(before)
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(softLimit)
	}
}

// giveBack gives what only the start needed back to the system: a gate at rest
// collects no garbage for hours. The first collection empties the pools' front, the
// second what it left behind.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
}

func (s *session) serve(ctx context.Context, logger *slog.Logger) error {
	tuneMemory()
	loaded, report, err := s.load()
	if err != nil {
		return err
	}
	for _, d := range report.List {
		level := slog.LevelWarn
		if d.Severity == diag.Advice {
			level = slog.LevelInfo
		}
		logger.Log(ctx, level, "config", slog.String("code", d.Code), slog.String("at", d.String()),
			slog.String("warning", d.Message), slog.String("hint", d.Hint))
	}
	server, err := app.New(loaded, app.Options{Logger: logger, Version: version(), Now: s.now}) //nolint:contextcheck // it outlives ctx: it drains
	if err != nil {
		return &failure{code: exitFailed, err: err, hint: app.Remedy(err)}
	}
	ctx, stop := untilSignal(ctx, os.Exit)
	defer stop()
	stopHangup := onHangup(func() { _, _ = server.Reload() }) //nolint:contextcheck // it logs what comes of it; a reload is not cut short
	defer stopHangup()
	announced := make(chan struct{})
	go func() {
		defer close(announced)
		select {
		case <-server.Ready():
			s.announce(server.Addr(), loaded.Config, logger)
			giveBack()
		case <-ctx.Done():
		}
	}()
	err = server.Run(ctx)
	stop()
	<-announced
	if err != nil && !errors.Is(err, context.Canceled) {
		return &failure{code: exitFailed, err: err}
	}
	return nil
}

// announce says what to paste at the senders and, last, where the server listens.
func (s *session) announce(addr string, doc *config.Config, logger *slog.Logger) {
	for _, in := range inbounds(doc) {
		logger.Info("accepting", slog.String("name", in.name), slog.String("url", in.masked()))
	}
	if len(doc.Rules) == 0 {
		logger.Warn("there is no rule: what comes in is kept, and nothing is sent")
	}
	if len(doc.Sources)+len(doc.Forms) == 0 {
		logger.Warn("there is no source and no form: nothing can come in")
	}
	if people := doc.Server.Admin.Access(); len(people.Users) > 0 {
		logger.Info("pages", slog.String("url", doc.Server.BaseURL()+"/ui/"), slog.String("hint", "hookgate login prints a link that logs in"))
	} else if people.Provider != nil {
		logger.Info("pages", slog.String("url", doc.Server.BaseURL()+"/ui/"), slog.String("hint", "people log in with "+people.Provider.Name))
	}
	logger.Info("listening", slog.String("address", addr), slog.String("version", version()))
}
