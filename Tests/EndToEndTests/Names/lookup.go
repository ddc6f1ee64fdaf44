// lookup-go NAME, or lookup-go --srv NAME: what Go's own resolver says.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	if os.Args[1] == "--srv" {
		_, records, err := resolver.LookupSRV(context.Background(), "", "", os.Args[2])
		if err != nil {
			os.Exit(1)
		}
		for _, record := range records {
			fmt.Printf("%d %d %d %s\n", record.Priority, record.Weight, record.Port, record.Target)
		}
		return
	}
	addresses, err := resolver.LookupHost(context.Background(), os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	for _, address := range addresses {
		fmt.Println(address)
	}
}
