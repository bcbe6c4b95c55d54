package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// catalogue is what the API needs of a store.
type catalogue interface {
	add(ctx context.Context, f Film) (Film, error)
	get(ctx context.Context, id int64) (Film, error)
	list(ctx context.Context, after int64, limit int) ([]Film, error)
}

// api answers for a catalogue:
//
//	GET  /films?after=ID&limit=N  films in the order of their numbers, a page at a time
//	POST /films                   a new film
//	GET  /films/{id}              one film
type api struct {
	films catalogue
	log   *slog.Logger
}

const (
	patience   = 5 * time.Second // with the database
	largest    = 64 << 10        // body of a request, in bytes
	pageSize   = 100
	pageAtMost = 1000
)

func newAPI(films catalogue, log *slog.Logger) http.Handler {
	a := &api{films, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /films", a.list)
	mux.HandleFunc("POST /films", a.add)
	mux.HandleFunc("GET /films/{id}", a.get)
	return mux
}

// page is some of the films, and where the next ones are.
type page struct {
	Films []Film `json:"films"`
	Next  string `json:"next,omitempty"`
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	after, err1 := number(r.FormValue("after"), 0, 0, 1<<62)
	limit, err2 := number(r.FormValue("limit"), pageSize, 1, pageAtMost)
	if err := errors.Join(err1, err2); err != nil {
		answer(w, http.StatusBadRequest, fault{"after and limit are numbers; limit is at most 1000"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	films, err := a.films.list(ctx, after, int(limit))
	if err != nil {
		a.failed(w, r, err)
		return
	}
	p := page{Films: films}
	if len(films) == int(limit) {
		p.Next = fmt.Sprintf("/films?after=%d&limit=%d", films[len(films)-1].ID, limit)
	}
	answer(w, http.StatusOK, p)
}

func (a *api) add(w http.ResponseWriter, r *http.Request) {
	var f Film
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, largest))
	body.DisallowUnknownFields()
	err := body.Decode(&f)
	if err == nil && body.Decode(new(any)) != io.EOF {
		err = errors.New("more than one document")
	}
	var tooLarge *http.MaxBytesError
	switch faults := f.faults(); {
	case errors.As(err, &tooLarge):
		answer(w, http.StatusRequestEntityTooLarge, fault{"a film has at most 64 KiB"})
		return
	case err != nil || f.ID != 0:
		answer(w, http.StatusBadRequest, fault{`the body is not like {"title": "Metropolis", "year": 1927, "minutes": 153}`})
		return
	case len(faults) > 0:
		answer(w, http.StatusUnprocessableEntity, fault{strings.Join(faults, "; ")})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if f, err = a.films.add(ctx, f); err != nil {
		a.failed(w, r, err)
		return
	}
	w.Header().Set("Location", "/films/"+strconv.FormatInt(f.ID, 10))
	answer(w, http.StatusCreated, f)
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	id, err := number(r.PathValue("id"), 0, 1, 1<<62)
	if err != nil {
		a.failed(w, r, errNoFilm)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	f, err := a.films.get(ctx, id)
	if err != nil {
		a.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, f)
}

// failed tells the client that it asked for nothing that is there, or that the
// fault is ours; what it was is in the log only.
func (a *api) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoFilm) {
		answer(w, http.StatusNotFound, fault{"there is no such film"})
		return
	}
	if r.Context().Err() == nil { // else the client has gone
		a.log.ErrorContext(r.Context(), "the database did not answer", "error", err)
	}
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, fault{"the database does not answer"})
}

type fault struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error is that of a client who has gone
}

// number reads a number within bounds, both included.
func number(text string, otherwise, least, most int64) (int64, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (n < least || n > most) {
		err = strconv.ErrRange
	}
	return n, err
}
