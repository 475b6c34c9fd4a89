"""Carrying what is due to the network, in the signer's process only: payouts, and calls of the contract."""
