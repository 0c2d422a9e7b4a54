package ui

import (
	"context"
	"io"
	"time"

	"hookgate/app/admin"
	"hookgate/app/admin/tail"
	"hookgate/app/ingest/samples"
	"hookgate/internal/event"
	"hookgate/internal/schema"
	"hookgate/rules"
)

// Service is what the pages ask for and do: the use cases that the API and the
// command line have, too.
type Service interface { //nolint:interfacebloat // the sum of its parts, each of which has its pages
	eventService
	exportService
	viewService
	sourceService
	deliveryService
	connectionService
	ruleService
	replayService
	formService
	fileService
	spamService
	erasureService
	statService
	configService
	tableService
	digestService
	Status(ctx context.Context) (admin.Status, error)
}

// eventService is what the pages of events need.
type eventService interface {
	Events(ctx context.Context, f event.Search) (admin.Page[admin.Event], error)
	Count(ctx context.Context, f event.Filter) (admin.EventCount, error)
	Standing(ctx context.Context) (admin.Standing, error)
	Event(ctx context.Context, id event.ID) (admin.EventDetail, error)
	Watch(f event.Search) (*tail.Watcher, error)
}

// exportService is what the export of events needs.
type exportService interface {
	PlanExport(ctx context.Context, f event.Search) (admin.ExportPlan, error)
	ExportEvents(ctx context.Context, x admin.EventExport) (event.File, io.ReadCloser, error)
}

// viewService is what the tabs of the list of events need.
type viewService interface {
	Views(ctx context.Context) (admin.Page[admin.View], error)
	SetView(ctx context.Context, r admin.ViewRequest) (admin.View, error)
	DeleteView(ctx context.Context, name string) (admin.View, error)
}

// sourceService is what the first page needs.
type sourceService interface {
	Inbounds(ctx context.Context) (admin.Page[admin.Inbound], error)
	Address(ctx context.Context, name string) (admin.Address, error)
	Samples(ctx context.Context, name string) ([]samples.Sample, error)
	Send(ctx context.Context, in admin.Sending) (admin.Accepted, error)
}

// deliveryService is what the pages of deliveries need.
type deliveryService interface { //nolint:interfacebloat // one page shows a run of a retry and steers it
	Deliveries(ctx context.Context, f event.DeliveryFilter) (admin.Page[admin.Delivery], error)
	Causes(ctx context.Context, f event.DeliveryFilter) (admin.Causes, error)
	Retry(ctx context.Context, sel admin.Selection) (admin.Changed, error)
	BeginRetry(ctx context.Context, q admin.RetryRequest) (admin.RetryRun, error)
	RetryRun(ctx context.Context, id event.RunID) (admin.RetryRun, error)
	RetryRuns(ctx context.Context, f event.RunFilter) (admin.Page[admin.RetryRun], error)
	SteerRetry(ctx context.Context, id event.RunID, to event.RetryState) (admin.RetryRun, error)
	Cancel(ctx context.Context, sel admin.Selection) (admin.Changed, error)
}

// statService is what the overview needs.
type statService interface {
	Statistics(ctx context.Context, name string) (admin.Statistics, error)
	QuietSources(ctx context.Context) ([]admin.Quiet, error)
}

// connectionService is what the page of connections needs.
type connectionService interface {
	Connections(ctx context.Context) (admin.Page[admin.Connection], error)
	Pause(ctx context.Context, name string, p admin.Pausing) (admin.Connection, error)
	Resume(ctx context.Context, name string, r admin.Resuming) (admin.Connection, error)
	TestConnection(ctx context.Context, name string, confirmed bool) (admin.Tested, error)
}

// tableService is what the pages of tables need.
type tableService interface {
	Tables(ctx context.Context) (admin.Page[admin.Table], error)
	Records(ctx context.Context, table, after string, limit int) (admin.Page[admin.Record], error)
	Record(ctx context.Context, k event.RecordKey) (admin.Record, error)
	SetRecord(ctx context.Context, k event.RecordKey, c admin.RecordChange) (admin.Record, error)
	DeleteRecord(ctx context.Context, k event.RecordKey) (admin.Removed, error)
}

// digestService is what the pages of digests need.
type digestService interface {
	Digests(ctx context.Context) (admin.Page[admin.Digest], error)
	Digest(ctx context.Context, id event.DigestID) (admin.DigestDetail, error)
	SendDigest(ctx context.Context, id event.DigestID) (admin.Digest, error)
	CancelDigest(ctx context.Context, id event.DigestID) (admin.Digest, error)
}

// ruleService is what the pages of rules need.
type ruleService interface {
	Rules(ctx context.Context) (admin.RuleList, error)
	Alike(ctx context.Context, rule, part, note string) (admin.Alike, error)
	RuleSettings() []admin.RuleSettings
	Uses(source, typ string) []rules.Use
	Try(ctx context.Context, r admin.TryRequest) (admin.Tried, error)
}

// formService is what the pages of forms need.
type formService interface {
	Forms(ctx context.Context, since time.Time) (admin.FormCounts, error)
	NewPosts(ctx context.Context) (int, error)
	Fields(ctx context.Context, name string, form bool) (schema.Source, error)
	SetRead(ctx context.Context, id event.ID, read bool) (admin.ReadMark, error)
	Posts(ctx context.Context, q admin.PostQuery) (admin.Page[admin.Post], error)
	Snippet(ctx context.Context, form, kind, lang string) (admin.Snippet, error)
}

// fileService is what the pages of files need.
type fileService interface {
	File(ctx context.Context, id string) (event.File, io.ReadCloser, error)
	FormFiles(ctx context.Context, form string, before event.ID, limit int) (admin.Page[admin.FormFile], error)
}

// spamService is what the pages of spam need.
type spamService interface {
	NotSpam(ctx context.Context, id event.ID) (admin.Released, error)
	IfNotSpam(ctx context.Context, id event.ID) (admin.ReleasePlan, error)
}

// erasureService is what the pages of deletions need.
type erasureService interface {
	DeletePost(ctx context.Context, id event.ID) (admin.Erasure, error)
	Erase(ctx context.Context, r admin.EraseRequest) (admin.Erased, error)
	Erasures(ctx context.Context, before event.AuditID, limit int) (admin.Page[admin.Erasure], error)
}
