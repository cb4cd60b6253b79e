"""Saliency maps of test cases by several methods, stored small and with their sign and scale."""
