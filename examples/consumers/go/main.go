// A whole consumer of kube-event-bridge, to copy: it holds what the cluster holds.
//
//	go run . kafka:9092 k8s.pods          follow; each time the objects change, print them as a line of JSON
//	go run . -once kafka:9092 k8s.pods    end when all is read that is there now
//	go run . -vectors ../../../protocol/vectors
//
// The state is in memory and read anew at each start. Who keeps it must change state and offset together.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func follow(brokers, topic string, once bool) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), // without it, records of aborted attempts are read
		kgo.KeepControlRecords(),                     // so that an offset behind the last record is seen too
	)
	if err != nil {
		return err
	}
	defer client.Close()
	left, err := unread(kadm.NewClient(client), topic)
	if err != nil {
		return err
	}
	follower, out := Follower{}, json.NewEncoder(os.Stdout)
	for !once || len(left) > 0 {
		fetches, changed := client.PollFetches(context.Background()), false
		if problems := fetches.Errors(); len(problems) > 0 {
			return problems[0].Err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			took, err := follower.Take(r.Partition, r.Key, r.Value)
			if err != nil {
				fmt.Fprintf(os.Stderr, "partition %d, offset %d: %v\n", r.Partition, r.Offset, err)
			}
			changed = changed || took
		})
		if changed && !once {
			out.Encode(follower.State())
		}
	}
	return out.Encode(follower.State())
}

func main() {
	vectors := flag.String("vectors", "", "play the vectors in this directory")
	once := flag.Bool("once", false, "end when all is read that is there now")
	flag.Parse()
	if *vectors != "" {
		os.Exit(min(prove(*vectors), 1))
	}
	err := errors.New("name brokers and a topic, or -vectors")
	if flag.NArg() == 2 {
		err = follow(flag.Arg(0), flag.Arg(1), *once)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
