package fakevendors

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Lexware is a stand-in for Lexware Office's API: quotations and order
// confirmations.
type Lexware struct {
	vendor
	key string
}

// NewLexware starts one that wants the key.
func NewLexware(tb testing.TB, key string) *Lexware {
	l := &Lexware{key: key}
	l.serve(tb, l.handle)
	return l
}

func (l *Lexware) handle(w http.ResponseWriter, r *http.Request) {
	kind := map[string]string{"/v1/quotations": "quotation", "/v1/order-confirmations": "order confirmation"}[r.URL.Path]
	body := decoded(r)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+l.key:
		answer(w, http.StatusUnauthorized, object{"message": "Unauthorized"})
	case r.URL.Path == "/v1/profile":
		answer(w, http.StatusOK, object{"organizationId": "aa93e8a8-2aa3-470b-b914-caad8a255dd8", "companyName": "Agency GmbH", "taxType": "net"})
	case kind == "" || r.Method != http.MethodPost:
		answer(w, http.StatusNotFound, object{"status": 404, "message": "Not found"})
	case body == nil:
		answer(w, http.StatusBadRequest, object{"status": 400, "message": "Malformed request"})
	case l.missing(kind, body) != "":
		answer(w, http.StatusNotAcceptable, object{
			"status": http.StatusNotAcceptable, "error": "Not Acceptable", "message": "Validation failed for request.",
			"details": []object{{"violation": "NOTNULL", "field": l.missing(kind, body), "message": "darf nicht leer sein"}},
		})
	default:
		if before := r.URL.Query().Get("precedingSalesVoucherId"); before != "" {
			body["precedingSalesVoucherId"] = before
		}
		rec := &Record{Kind: kind, ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", len(l.records)+1), Fields: body}
		l.records = append(l.records, rec)
		answer(w, http.StatusCreated, object{"id": rec.ID, "resourceUri": "https://api.lexware.io" + r.URL.Path + "/" + rec.ID, "version": 1})
	}
}

// missing is the first field that a voucher needs and lacks.
func (l *Lexware) missing(kind string, body object) string {
	needed := []string{"voucherDate", "address", "lineItems", "totalPrice", "taxConditions"}
	if kind == "quotation" {
		needed = append(needed, "expirationDate")
	}
	for _, name := range needed {
		if body[name] == nil {
			return name
		}
		if text, isText := body[name].(string); isText && strings.HasSuffix(name, "Date") {
			if _, err := time.Parse("2006-01-02T15:04:05.000Z07:00", text); err != nil {
				return name
			}
		}
	}
	return ""
}
