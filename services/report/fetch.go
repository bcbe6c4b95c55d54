package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// film is what a report needs of one.
type film struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Year    int    `json:"year"`
	Minutes int    `json:"minutes"`
}

// largest bounds what is read of one answer, in bytes: a thousand films of two
// hundred characters each are less.
const largest = 8 << 20

// fetch reads all films, a page at a time. A page that is not all there is an
// error, so that no report is made of a part.
func fetch(ctx context.Context, client *http.Client, base string) ([]film, error) {
	from, err := url.Parse(base)
	if err != nil || from.Host == "" {
		return nil, fmt.Errorf("read films: FILMS_URL %q is not like http://host:8082", base)
	}
	var all []film
	for next := "/films?limit=1000"; next != ""; {
		where, err := from.Parse(next)
		if err != nil {
			return nil, fmt.Errorf("read films: %w", err)
		}
		var page struct {
			Films []film `json:"films"`
			Next  string `json:"next"`
		}
		if err := get(ctx, client, where.String(), &page); err != nil {
			return nil, fmt.Errorf("read films: %w", err)
		}
		// Numbers grow from page to page, so this ends.
		last := int64(0)
		if len(all) > 0 {
			last = all[len(all)-1].ID
		}
		for _, f := range page.Films {
			if f.ID <= last {
				return nil, fmt.Errorf("read films: film %d comes after film %d", f.ID, last)
			}
			last = f.ID
		}
		if page.Next != "" && len(page.Films) == 0 {
			return nil, errors.New("read films: an empty page is followed by another")
		}
		all, next = append(all, page.Films...), page.Next
	}
	return all, nil
}

func get(ctx context.Context, client *http.Client, from string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", from, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, largest)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return nil
}
