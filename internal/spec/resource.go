package spec

import "strings"

// Resource is a kind of thing that services connect to.
type Resource struct {
	Kind     string // as it stands under `resources`
	Variable string // what the service reads
	Needs    string // the Ansible variable that holds the value
}

// Resources are the kinds that kinectl knows. The connection string of each
// comes from the infra repository, so that no spec holds an address.
func Resources() []Resource {
	return []Resource{
		{"clickhouse", "CLICKHOUSE_DSN", "clickhouse_dsn"},
		{"kafka", "KAFKA_BROKERS", "kafka_brokers"},
		{"memcached", "MEMCACHED_ADDRESSES", "memcached_addresses"},
		{"nats", "NATS_URL", "nats_url"},
		{"postgres", "POSTGRES_DSN", "postgres_dsn"},
		{"rabbitmq", "RABBITMQ_URL", "rabbitmq_url"},
		{"redis", "REDIS_URL", "redis_url"},
		{"sentinel", "SENTINEL_ADDRESSES", "sentinel_addresses"},
	}
}

// resource returns the known kind of that name.
func resource(kind string) (Resource, bool) {
	for _, r := range Resources() {
		if r.Kind == kind {
			return r, true
		}
	}
	return Resource{}, false
}

// owns reports whether a variable belongs to the resource: it connects to it
// or tunes the connection.
func (r Resource) owns(v Variable) bool {
	if strings.HasPrefix(v.Name, strings.ToUpper(r.Kind)+"_") {
		return true
	}
	for _, part := range v.Parts {
		for _, name := range part.Needs {
			if name == r.Needs {
				return true
			}
		}
	}
	return false
}
