"""How requests come in: GraphQL over HTTP and graphql-transport-ws, with every limit."""
