package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/rules"
)

// Reader looks up what is stored. Lists are newest first and hold at most
// Limit records; Events may leave out what Event gives whole.
type Reader interface {
	Events(ctx context.Context, f event.Filter) ([]event.Event, error)
	Event(ctx context.Context, id event.ID) (event.Event, error) // event.ErrNotFound
	Deliveries(ctx context.Context, f event.DeliveryFilter) ([]event.Delivery, error)
	Attempts(ctx context.Context, ids ...event.DeliveryID) ([]event.Attempt, error)
	// Why tells which version of the configuration judged e and how its rules
	// came to what they said; nil where no rule saw it.
	Why(ctx context.Context, e *event.Event) (*JudgedBy, []rules.Trace)
}

// Changer changes all deliveries that a filter selects, whatever its Limit,
// and says how many there were. Count says it beforehand: how many, how many of
// them have an ordering key, and how many such keys there are.
type Changer interface {
	Count(ctx context.Context, f event.DeliveryFilter) (count, keyed, keys int, err error)
	Retry(ctx context.Context, f event.DeliveryFilter) (int, error)
	Cancel(ctx context.Context, f event.DeliveryFilter) (int, error)
}

// Operator acts on the server itself.
type Operator interface {
	// Send accepts a body as if the source's sender had sent it, without
	// authentication: event.ErrNotFound for an unknown source, else as
	// intake.Intake.Event.
	Send(ctx context.Context, source, contentType string, body []byte) (ingest.Ack, error)
	Status(ctx context.Context) (Status, error)
	Replicas(ctx context.Context) (Replicas, error)
	Reload(ctx context.Context) (Reloaded, error) // an error only when it could not be tried
}

// FormKeeper looks after what forms got.
type FormKeeper interface {
	// Forms counts the posts of each form of the configuration since then.
	Forms(ctx context.Context, since time.Time) ([]FormCount, error)
	// NotSpam gives a kept post to the rules: event.ErrNotFound, or
	// event.ErrNotKept where it is neither spam nor a repeat.
	NotSpam(ctx context.Context, id event.ID) (ingest.Ack, error)
	// Forget deletes what is stored of a person, or counts it, a part at a
	// time. Besides the store's its errors are those of Refuse.
	Erase(ctx context.Context, r EraseRequest) (Erased, error)
	// Forgettings are the records of such deletions, newest first.
	Erasures(ctx context.Context) ([]Erasure, error)
}

// Archive is all that looks at what is stored.
type Archive interface {
	Reader
	Surveyor
	Searcher
	Files
}

// Service is what the API offers; app implements it.
type Service interface {
	Archive
	FormKeeper
	Changer
	Operator
	Replayer
	Keeper
}

const (
	readTimeout   = 30 * time.Second
	changeTimeout = 5 * time.Minute
)

// handler holds what all routes need.
type handler struct {
	service Service
	logger  *slog.Logger
	now     func() time.Time
}

// Register adds the routes below r, which stands for /api/v1.
func Register(r fiber.Router, service Service, logger *slog.Logger, now func() time.Time) {
	h := &handler{service: service, logger: logger, now: now}
	r.Get("/events", h.answer(h.events))
	r.Post("/events/send", h.answer(h.send))
	r.Get("/events/stream", h.answer(h.stream))
	r.Get("/events/:id", h.answer(h.event))
	h.replayRoutes(r)
	r.Get("/deliveries", h.answer(h.deliveries))
	r.Post("/deliveries/retry", h.answer(h.retry))
	r.Post("/deliveries/cancel", h.answer(h.cancel))
	r.Get("/deliveries/:id", h.answer(h.delivery))
	r.Post("/events/:id/notspam", h.answer(h.notSpam))
	r.Get("/forms", h.answer(h.forms))
	r.Post("/forget", h.answer(h.forget))
	r.Get("/forget", h.answer(h.forgettings))
	r.Get("/sources/:name/fields", h.answer(h.sourceFields))
	r.Get("/forms/:name/fields", h.answer(h.formFields))
	r.Get("/connections", h.answer(h.connections))
	r.Get("/connections/:name", h.answer(h.connection))
	r.Post("/connections/:name/pause", h.answer(h.pause))
	r.Post("/connections/:name/resume", h.answer(h.resume))
	r.Post("/connections/:name/test", h.answer(h.testConnection))
	r.Get("/files/:id", h.answer(h.file))
	r.Get("/status", h.answer(h.status))
	r.Get("/replicas", h.answer(h.replicas))
	r.Post("/reload", h.answer(h.reload))
	r.Use(func(c *fiber.Ctx) error {
		return WriteProblem(c.Context(), Problem{Status: fiber.StatusNotFound, Detail: "the API has no such route"})
	})
}

// answer makes a route's fault an answer: whoever called sees what is wrong
// with the request, and everything else is logged and shown as 500 or 503.
func (h *handler) answer(route fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		err := route(c)
		if err == nil {
			return nil
		}
		problem, known := ProblemOf(err)
		if !known {
			h.logger.Error("the API could not answer", "method", c.Method(), "path", c.Path(), "error", err)
		}
		return WriteProblem(c.Context(), problem)
	}
}

// badRequest says what is wrong with a request to the API.
type badRequest struct{ message string }

func (e *badRequest) Error() string { return e.message }

// Refuse makes an error that is answered with 400 and its message.
func Refuse(format string, args ...any) error { return &badRequest{fmt.Sprintf(format, args...)} }

// noRecord says which record does not exist.
type noRecord struct{ message string }

func (e *noRecord) Error() string { return e.message }

func isMissing(err error) bool { return errors.Is(err, event.ErrNotFound) }

// missing replaces event.ErrNotFound by a message that names the record.
func missing(err error, message string) error {
	if errors.Is(err, event.ErrNotFound) {
		return &noRecord{message}
	}
	return err
}
