package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"hookgate/app/admin"
	"hookgate/app/ingest"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// unavailableRetry is how long a sender should wait when the store cannot commit.
const unavailableRetry = 5 * time.Second

// Problem is RFC 9457's problem details.
type Problem struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"` // what to do about it
	ID     string `json:"id,omitempty"`   // the event under which the request was kept
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Errors are the faults in an expression that the request holds.
	Errors diag.List `json:"errors,omitempty"`
	// Retry becomes the header Retry-After.
	Retry time.Duration `json:"-"`
}

// WriteProblem answers with p; its Title is the status's own words unless set.
func WriteProblem(ctx *fasthttp.RequestCtx, p Problem) error {
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if p.Retry > 0 {
		ctx.Response.Header.Set("Retry-After", RetryAfter(p.Retry))
	}
	ctx.Response.Header.SetContentType(problemType)
	ctx.Response.SetStatusCode(p.Status)
	ctx.Response.SetBody(append(text, '\n'))
	return nil
}

// RetryAfter gives the header's value: whole seconds, rounded up, at least 1.
func RetryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64(math.Ceil(d.Seconds()))), 10)
}

// ProblemOf says how an error is answered. Known reports that the error is the
// caller's or passes by itself; any other is a fault of ours whose text must
// be logged and is not shown.
func ProblemOf(err error) (p Problem, known bool) {
	var (
		content *body.Error
		busy    *ingest.BusyError
		refused *admin.RefusedError
		absent  *admin.NotFoundError
		expr    *admin.ExpressionError
		kept    *admin.KeptError
		full    *admin.BusyError
	)
	if errors.As(err, &kept) {
		p, known = ProblemOf(kept.Cause)
		p.ID = kept.ID.String()
		return p, known
	}
	switch {
	case errors.As(err, &content):
		return Problem{
			Status: content.Status, Detail: content.Message, Hint: content.Hint,
			Line: content.Line, Column: content.Column,
		}, true
	case errors.As(err, &busy) && busy.Source:
		return Problem{Status: http.StatusTooManyRequests, Detail: busy.Error(), Retry: busy.RetryAfter}, true
	case errors.As(err, &busy):
		return Problem{Status: http.StatusServiceUnavailable, Detail: busy.Error(), Retry: busy.RetryAfter}, true
	case errors.As(err, &full):
		return Problem{Status: http.StatusServiceUnavailable, Detail: full.Message, Retry: unavailableRetry}, true
	case errors.Is(err, event.ErrUnavailable):
		return Problem{
			Status: http.StatusServiceUnavailable, Retry: unavailableRetry,
			Detail: "nothing can be stored right now: nothing was kept, please send it again",
		}, true
	case errors.As(err, &expr):
		return Problem{Status: http.StatusBadRequest, Detail: "the condition is not understood", Errors: expr.List}, true
	case errors.As(err, &refused):
		return Problem{Status: http.StatusBadRequest, Detail: refused.Message}, true
	case errors.As(err, &absent):
		return Problem{Status: http.StatusNotFound, Detail: absent.Message}, true
	case errors.Is(err, event.ErrNotKept), errors.Is(err, event.ErrNotAsSeen):
		return Problem{Status: http.StatusConflict, Detail: err.Error()}, true
	case errors.Is(err, event.ErrNotFound):
		return Problem{Status: http.StatusNotFound}, true
	default:
		return Problem{Status: http.StatusInternalServerError, Detail: "the server's log says more"}, false
	}
}
