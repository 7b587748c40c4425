"""The networks: SCEN, EGGN and the final classifier, each defined once."""
