package world

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// cluster is a PostgreSQL server on which worlds make databases.
type cluster struct {
	url   *url.URL
	admin *sql.DB
}

func openCluster(at string) (*cluster, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, errors.New("the address of the PostgreSQL server is not understood")
	}
	admin, err := sql.Open("pgx", at)
	return &cluster{u, admin}, err
}

// address is the URL of a database.
func (c *cluster) address(database string) string {
	u := *c.url
	u.Path = "/" + database
	return u.String()
}

// create makes a database, as a copy of another one that nobody has open unless that is empty, and returns its name.
func (c *cluster) create(ctx context.Context, of string) (string, error) {
	database := "levee_world_" + strings.ToLower(rand.Text())
	if of == "" {
		of = "template0 ENCODING 'UTF8'"
	}
	_, err := c.admin.ExecContext(ctx, `CREATE DATABASE `+database+` TEMPLATE `+of)
	return database, err
}

// drop removes a database, also when a world was broken off.
func (c *cluster) drop(ctx context.Context, database string) error {
	if database == "" {
		return nil
	}
	_, err := c.admin.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE IF EXISTS `+database+` WITH (FORCE)`)
	return err
}

// onPostgres keeps the server's database of a world.
type onPostgres struct {
	*cluster
	database string
	// copies are all that were made of it.
	copies []string
}

// copied is a copy of the database, which nobody has open.
func (p *onPostgres) copied(ctx context.Context) (image, error) {
	database, err := p.create(ctx, p.database)
	if err != nil {
		return image{}, fmt.Errorf("copying a database: %w", err)
	}
	p.copies = append(p.copies, database)
	return image{database: database}, nil
}

// put puts a copy in the database's place.
func (p *onPostgres) put(ctx context.Context, of image) error {
	if err := p.drop(ctx, p.database); err != nil {
		return fmt.Errorf("putting a copy in place: %w", err)
	}
	var err error
	if p.database, err = p.create(ctx, of.database); err != nil {
		return fmt.Errorf("putting a copy in place: %w", err)
	}
	return nil
}

// close removes all of it.
func (p *onPostgres) close(ctx context.Context) error {
	errs := []error{p.drop(ctx, p.database)}
	for _, database := range p.copies {
		errs = append(errs, p.drop(ctx, database))
	}
	return errors.Join(append(errs, p.admin.Close())...)
}

// templates are those of the worlds on each engine, by the address of its server; that of SQLite is "".
var templates = struct {
	sync.Mutex
	made map[string]*template
}{made: map[string]*template{}}
