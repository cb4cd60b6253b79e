"""Make subject-disjoint, stratified splits, and the account of every case that was found."""
