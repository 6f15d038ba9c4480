"""What is sent: images and texts that no other request of a run was given."""
