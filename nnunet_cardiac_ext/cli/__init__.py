"""The command nnunet-cardiac: one file per subcommand; each parses, calls the API and prints."""
