// Package admin holds what operators do with a running gateway, a file for
// each use case: what they ask, what they get, and how it comes about. The
// administration API, its client, the command line and the pages all speak in
// its types.
package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hookgate/app/admin/access"
	"hookgate/app/admin/tail"
	"hookgate/app/ingest"
	"hookgate/app/replay"
	"hookgate/db"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/memo"
	"hookgate/internal/schema"
)

// Store is what the use cases read and write; each declares its part of it.
type Store interface { //nolint:interfacebloat // the sum of its parts, each of which has one user
	eventStore
	deliveryStore
	connectionStore
	formStore
	fileStore
	retryStore
	rerenderStore
	eraseStore
	replayStore
	replicaStore
	tableStore
	digestStore
	viewStore
	clockStore
	trafficStore
	versionStore
	tickStore
	idSource
}

// idSource numbers what is stored.
type idSource interface {
	NewIDs(n int) event.ID
}

// Options are what a Service works with.
type Options struct {
	Store   Store
	Workers Workers
	// Arrivals counts what comes in.
	Arrivals Arrivals
	Intake   Intake
	Feed     *tail.Feed
	Logger   *slog.Logger
	Now      func() time.Time
	Process  Process
	// InForce gives the configuration in force.
	InForce func() *InForce
	// Reload reads the configuration again; an error only where it could not be
	// tried.
	Reload func() (Reloaded, error)
	// ReadFile reads the configuration file as it stands now, and tells how it is
	// checked.
	ReadFile func() (hash string, check func(ctx context.Context) CheckedFile)
	// Prune deletes what retention no longer keeps, or only counts it.
	Prune func(ctx context.Context, dryRun bool) (Pruned, error)
	// PauseStatesChanged has the workers obey the stored pause states.
	PauseStatesChanged func(ctx context.Context) error
	// Limits are what all replicas know of the receivers; nil where there is
	// one process only.
	Limits SharedLimits
	Files  Files
	// Access lets people and programs in.
	Access *access.Control
}

// InForce is the configuration in force, as operators ask about it. It never
// changes.
type InForce struct {
	Plan        *ingest.Plan
	Since       time.Time
	Tests       Tests
	Connections []ConnectionSettings // in the order of the file
	Sources     []string             // in the order of the file
	Forms       []string             // in the order of the file
	Rules       []RuleSettings       // in the order of the file
	// Tables are the kept ones: how long a record stays after its last change.
	Tables map[string]time.Duration
	// Replies are what forms answer themselves.
	Replies []Reply
	// KeepFiles is how long files of form posts are kept at the most.
	KeepFiles time.Duration
	// Findings are what check says of the configuration that refuses nothing.
	Findings  diag.List
	PublicURL string
	// BaseURL is PublicURL, or where this machine reaches the server.
	BaseURL string
	// Known is what is documented of each source, or follows from the fields of
	// each form, by name.
	Known map[string]schema.Source
	// File is the name of the configuration file, RuleText the section rules of it
	// and of those that it includes.
	File     string
	RuleText []RuleText
	// TextOf is the same of a stored version.
	TextOf func(source []byte) ([]RuleText, error)
	// Changed makes a rule set of the rules in force with one of them changed.
	Changed func(rule string, c RuleChange) (*ingest.RuleSet, diag.List)
	// Compile makes a rule set of a stored version of the configuration.
	Compile func(source []byte) (*ingest.RuleSet, error)
}

// Service does what operators ask for. It is safe for concurrent use.
type Service struct {
	opt      Options
	store    Store
	ruleSets ruleSets
	surveys  *memo.Memo[int64, *survey] // by the version of the configuration
	samples  *memo.Memo[sampled, []schema.Payload]
	checked  *memo.Memo[string, CheckedFile] // by the hash of the file
	standing *memo.Memo[struct{}, Standing]
	failures *memo.Memo[struct{}, map[string]db.Failure] // of the last day
	causes   *memo.Memo[string, Causes]                  // by what is asked for
	posts    *memo.Memo[countedForms, formPosts]

	retriesWake chan struct{} // a run was begun or goes on
	exports     chan struct{} // has room for as many as may be made at once
	closing     chan struct{} // closed once exports are to end
}

// New makes a Service.
func New(opt Options) *Service {
	return &Service{
		opt: opt, store: opt.Store, retriesWake: make(chan struct{}, 1), exports: make(chan struct{}, maxExports), closing: make(chan struct{}),
		surveys:  memo.New[int64](surveyed(1, func(v *survey) bool { return v.looked >= manySurveyed })),
		samples:  memo.New[sampled](surveyed(0, manySampled)),
		checked:  memo.New[string](surveyed(1, func(CheckedFile) bool { return false })), // by its time alone
		standing: memo.New[struct{}](counted(func(v Standing) bool { return v.counted() >= manyCounted })),
		failures: memo.New[struct{}](counted(manyFailed)),
		causes:   memo.New[string](counted(func(v Causes) bool { return v.Examined >= manyCounted })),
		posts:    memo.New[countedForms](counted(formPosts.many)),
	}
}

// What is found in events is found each time where they are few, and kept where they are
// many. What the newest events look like, what rules say of them, and what is found in
// the file beside them, is kept where it took long, too, and told up to the age of
// surveyOld. Counts are told for countLeast at least, and for countOld at the most where
// it does not take long to count.
const (
	surveyLeast = 10 * time.Second
	surveyOld   = 10 * time.Minute
	surveySlow  = 50 * time.Millisecond
	countLeast  = 2 * time.Second
	countOld    = 10 * time.Second

	manySurveyed = 2000 // events
	manyCounted  = 1000 // events, or deliveries
)

func surveyed[V any](keys int, many func(V) bool) memo.Options[V] {
	slow := func(v V, took time.Duration) bool { return many(v) || took > surveySlow }
	return memo.Options[V]{Slow: slow, Least: surveyLeast, Old: surveyOld, Keys: keys}
}

func counted[V any](many func(V) bool) memo.Options[V] {
	return memo.Options[V]{Slow: func(v V, _ time.Duration) bool { return many(v) }, Least: countLeast, Old: countOld}
}

// keeper is a memo, whatever it keeps.
type keeper interface {
	Forget()
	Close()
}

// counts are the memos of counts, memos all there are.
func (s *Service) counts() []keeper { return []keeper{s.standing, s.failures, s.causes, s.posts} }

func (s *Service) memos() []keeper { return append(s.counts(), s.surveys, s.samples, s.checked) }

// EndExports ends those that are being made, so that nobody waits for who reads them. It
// is called once.
func (s *Service) EndExports() { close(s.closing) }

// Close ends what is found out behind anybody's back.
func (s *Service) Close() {
	for _, m := range s.memos() {
		m.Close()
	}
}

// forgetFound drops what is kept of what was found in events, which may tell of some that
// are gone.
func (s *Service) forgetFound() {
	for _, m := range s.memos() {
		m.Forget()
	}
}

// forgetCounts drops what is kept of counts, which somebody has changed by hand.
func (s *Service) forgetCounts() {
	for _, m := range s.counts() {
		m.Forget()
	}
}

func (s *Service) inForce() *InForce { return s.opt.InForce() }

// poll tells the workers of connections that there is work in the store.
func (s *Service) poll(connections []string) {
	for _, c := range connections {
		s.opt.Workers.Poll(c)
	}
}

// Page is a part of a list, newest first. Next is the cursor of the part after
// it (?before=), empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	// Search is there where the records were looked into one by one.
	Search *Search `json:"search,omitempty"`
}

type actorKey struct{}

// As gives a context for what the named person does.
func As(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// actor is who acts: "local" is whoever may open the socket.
func actor(ctx context.Context) string {
	if name, _ := ctx.Value(actorKey{}).(string); name != "" {
		return name
	}
	return "local"
}

// RefusedError says what is wrong with a request.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string { return e.Message }

func refuse(format string, args ...any) error {
	return &RefusedError{fmt.Sprintf(format, args...)}
}

// NotFoundError says which record does not exist; it is event.ErrNotFound, too.
type NotFoundError struct{ Message string }

func (e *NotFoundError) Error() string { return e.Message }

// Unwrap gives event.ErrNotFound.
func (e *NotFoundError) Unwrap() error { return event.ErrNotFound }

// BusyError says what there is no room for just now.
type BusyError struct{ Message string }

func (e *BusyError) Error() string { return e.Message }

// saidError is another error in words for a person.
type saidError struct {
	message string
	cause   error
}

func (e *saidError) Error() string { return e.message }
func (e *saidError) Unwrap() error { return e.cause }

// missing replaces event.ErrNotFound by a message that names the record.
func missing(err error, format string, args ...any) error {
	if errors.Is(err, event.ErrNotFound) {
		return &NotFoundError{fmt.Sprintf(format, args...)}
	}
	return err
}

// gone ends the message about a record that may have existed.
const gone = "it never was, or retention has removed it"

// notCalled is the error that no noun ("source", "rule" …) has the name, with
// the one that may be meant, else with those that there are.
func notCalled(noun, name string, names []string) error {
	return &NotFoundError{fmt.Sprintf("no %s is called %q: %s", noun, name, diag.Among(name, names))}
}

// ExpressionError refuses a condition, with the place of each fault in it.
type ExpressionError struct{ List diag.List }

func (e *ExpressionError) Error() string { return e.List.Error() }

// newQuery compiles what a search looks for in events.
func newQuery(where, text string) (*replay.Query, error) {
	q, faults := replay.NewQuery(where, text)
	if faults.Err() != nil {
		return nil, &ExpressionError{List: faults}
	}
	return q, nil
}
