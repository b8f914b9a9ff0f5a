"""The auditor inside gateways of others: what each of them asks, and what it is told."""
