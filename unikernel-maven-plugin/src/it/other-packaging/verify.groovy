assert new File(basedir, 'build.log').text.contains('An image is made of packaging jar or war, not of maven-archetype.')
