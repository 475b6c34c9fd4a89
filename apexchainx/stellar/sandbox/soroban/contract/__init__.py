"""The SLA contract as it behaves on the network: it computes, records and emits, and moves no money."""
